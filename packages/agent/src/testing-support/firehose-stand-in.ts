/**
 * Adapter. Data Firehose on loopback, as far as the agent talks to it: PutRecordBatch with its limits, and faults.
 *
 * Source of the protocol (AWS JSON 1.1, target `Firehose_20150804.PutRecordBatch`) and of the limits (500 records, 4 MiB
 * and 1,024,000 bytes before base64): Amazon Data Firehose API reference, PutRecordBatch, read 2026-11-22.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What comes of a request: answered as usual, refused as a whole, or refused in part. */
export type DeliveryFate =
  | "store"
  | { readonly status: number; readonly code: string }
  /** Refuses the records at these places. */
  | { readonly refused: readonly number[] }
  /** Stores, and breaks the connection in place of an answer. */
  | "lose-answer";

export class FirehoseStandIn implements AsyncDisposable {
  /** What was stored, in order. */
  readonly records: Buffer[] = [];
  /** Number and bytes of the records of each request, refused ones too. */
  readonly requests: { readonly records: number; readonly bytes: number }[] = [];
  readonly authorizations: (string | undefined)[] = [];
  readonly tokens: (string | undefined)[] = [];
  fateOf: (records: readonly Buffer[], request: number) => DeliveryFate = () => "store";
  readonly #server: Server;
  readonly #streams: ReadonlySet<string>;

  private constructor(streams: readonly string[]) {
    this.#streams = new Set(streams);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async listen(...streams: string[]): Promise<FirehoseStandIn> {
    const standIn = new FirehoseStandIn(streams);
    standIn.#server.listen(0, "127.0.0.1");
    await once(standIn.#server, "listening");
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Everything that was stored, as a reader of the delivered objects sees it. */
  get text(): string {
    return Buffer.concat(this.records).toString("utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.authorizations.push(request.headers.authorization);
    this.tokens.push(request.headers["x-amz-security-token"] as string | undefined);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      DeliveryStreamName: string;
      Records: { Data: string }[];
    };
    const records = body.Records.map(({ Data }) => Buffer.from(Data, "base64"));
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    this.requests.push({ records: records.length, bytes });
    if (request.headers["x-amz-target"] !== "Firehose_20150804.PutRecordBatch") {
      refuse(response, 400, "UnknownOperationException");
    } else if (!this.#streams.has(body.DeliveryStreamName)) refuse(response, 400, "ResourceNotFoundException");
    else if (records.length > 500 || bytes > 4_194_304 || records.some((record) => record.length > 1_024_000)) {
      refuse(response, 400, "InvalidArgumentException");
    } else this.#answer(response, records, this.fateOf(records, this.requests.length));
  }

  #answer(response: ServerResponse, records: readonly Buffer[], fate: DeliveryFate): void {
    if (typeof fate === "object" && "status" in fate) {
      refuse(response, fate.status, fate.code);
      return;
    }
    const refused = new Set(typeof fate === "object" ? fate.refused : []);
    const results = records.map((record, index) => {
      if (refused.has(index)) return { ErrorCode: "ServiceUnavailableException", ErrorMessage: "slow down" };
      this.records.push(record);
      return { RecordId: `r${this.records.length}` };
    });
    if (fate === "lose-answer") {
      response.destroy();
      return;
    }
    reply(response, 200, { FailedPutCount: refused.size, Encrypted: false, RequestResponses: results });
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  reply(response, status, { __type: code, message: `refused with ${code}` });
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify(body));
}
