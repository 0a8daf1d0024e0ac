/**
 * A Lambda function behind an HTTP API: it puts what it is posted on a stream, and answers once Kinesis has stored it.
 *
 * The producer stands outside the handler, so that invocations of one instance share its connections. Nothing may be left
 * in it when the handler returns: Lambda freezes the process until the next invocation, which may never come.
 */
import { Producer } from "@millrace/producer";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";

interface Order {
  readonly customer: string;
  readonly cents: number;
}

const producer = new Producer({ streamName: process.env["STREAM_NAME"] ?? "orders" });

export async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const orders = JSON.parse(event.body ?? "[]") as Order[];
  const puts = orders.map((order) => producer.put({ partitionKey: order.customer, data: JSON.stringify(order) }));
  // Sends at once what would otherwise wait for more, and resolves when every put has settled.
  await producer.flush();
  // A failed put fails the invocation, so that its caller hears of it.
  const stored = await Promise.all(puts);
  return { statusCode: 200, body: JSON.stringify({ stored: stored.length }) };
}
