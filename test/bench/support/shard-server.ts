/**
 * Adapter. A process that answers every GetRecords with the same body: a shard that never runs dry and costs next to
 * nothing to serve. Started by the consumer's bench, which sends the body on stdin.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const body = Buffer.concat(chunks);

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1", "content-length": body.length });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
