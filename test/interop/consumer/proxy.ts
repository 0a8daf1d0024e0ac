/**
 * Adapter. Stands before a DynamoDB and decides the fate of its transactions: an answer that never comes, a request that
 * never arrives, a conflict with somebody else's.
 */
import { createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of one TransactWriteItems; `lost` is a connection that breaks before the request arrives. */
export type Fate = "pass" | "applied-but-silent" | "lost" | "conflict";

/** A DynamoDB whose transactions meet the fates that are asked for, in turn, and pass when none is. */
export interface FatefulDynamoDb {
  readonly endpoint: string;
  readonly fates: Fate[];
  /** Transactions that were sent. */
  readonly sent: () => number;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<FatefulDynamoDb> {
  const fates: Fate[] = [];
  let sent = 0;
  const fateOf = (message: IncomingMessage): Fate => {
    if (message.headers["x-amz-target"] !== "DynamoDB_20120810.TransactWriteItems") return "pass";
    sent++;
    return fates.shift() ?? "pass";
  };
  const server = createServer((message, response) => void meet(target, fateOf(message), message, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fates,
    sent: () => sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function meet(target: string, fate: Fate, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  if (fate === "lost") {
    message.socket.destroy();
    return;
  }
  if (fate === "conflict") {
    response.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(conflict);
    return;
  }
  const { host } = new URL(target);
  const options = { method: message.method, path: message.url, headers: { ...message.headers, host } };
  const forwarded = sendRequest(target, options, (answer) => {
    if (fate === "applied-but-silent") {
      answer.resume();
      return;
    }
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  forwarded.once("error", () => response.destroy());
  forwarded.end(Buffer.concat(chunks));
}

// As DynamoDB words it. Moto never says so: its transactions do not meet.
const conflict = JSON.stringify({
  __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
  Message: "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]",
  CancellationReasons: [
    { Code: "TransactionConflict", Message: "Transaction is ongoing for the item" },
    { Code: "None" },
  ],
});
