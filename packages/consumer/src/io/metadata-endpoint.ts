/**
 * Adapter. Asks the metadata endpoint that a platform offers its containers: loopback or link-local, without TLS.
 */
import { get } from "node:http";

/** Answers are a few kilobytes for each container of the task. */
const maxBytes = 1_048_576;

/**
 * The JSON that a GET answers.
 * @throws when there is no answer, another status than 200, too much, or no JSON.
 */
export async function getJson(url: string, signal: AbortSignal): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(url, { signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) request.destroy(new Error(`${url} answers more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`${url} answers ${response.statusCode}`));
      });
    });
    request.on("error", reject);
  });
  return JSON.parse(text) as unknown;
}
