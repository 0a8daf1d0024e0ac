/**
 * Pure. Who signed a request: reads AWS Signature Version 4 from the header or the query string, and checks it where
 * the server was given keys.
 *
 * Source of the method: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. Source of the texts:
 * mhart/kinesalite:index.js, recorded from the service; of the skew texts, general AWS behaviour.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { ServiceError } from "../service-error.ts";

/** A key pair that the server accepts. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The parts of a request that a signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** A signature as the request carries it. */
export interface RequestSignature {
  readonly accessKeyId: string;
  /** `date/region/service/aws4_request`. */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  /** YYYYMMDDTHHMMSSZ; empty where the request has a `Date` header only. */
  readonly timestamp: string;
  readonly signature: string;
  readonly inQuery: boolean;
}

/** Most that the signer's clock may be off. Source: the service's own text, "5 min.". */
const maxSkewMs = 300_000;

/**
 * The request's signature, not checked yet.
 * @throws {ServiceError} MissingAuthenticationTokenException, IncompleteSignatureException or InvalidSignatureException.
 */
export function parseSignature(request: SignedRequest): RequestSignature {
  const authorization = headerText(request.headers["authorization"]);
  const query = new URLSearchParams(request.url.includes("?") ? request.url.slice(request.url.indexOf("?")) : "");
  const inQuery = query.has("X-Amz-Algorithm");
  if (authorization === undefined && !inQuery) {
    throw new ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  if (authorization === undefined) return signatureOfQuery(query);
  if (inQuery) {
    throw new ServiceError(
      "InvalidSignatureException",
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  }
  return signatureOfHeader(authorization, request);
}

function signatureOfHeader(authorization: string, request: SignedRequest): RequestSignature {
  const fields = new Map<string, string>();
  for (const part of authorization.split(/[, ]+/).slice(1)) {
    const equals = part.indexOf("=");
    if (equals > 0) fields.set(part.slice(0, equals), part.slice(equals + 1));
  }
  const timestamp = headerText(request.headers["x-amz-date"]);
  const missing = ["Credential", "Signature", "SignedHeaders"]
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter. `);
  if (timestamp === undefined && request.headers["date"] === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
  }
  if (missing.length > 0) throw new ServiceError("IncompleteSignatureException", missing.join("").trimEnd());
  return {
    ...splitCredential(fields.get("Credential") ?? ""),
    signedHeaders: (fields.get("SignedHeaders") ?? "").toLowerCase().split(";"),
    timestamp: timestamp ?? "",
    signature: fields.get("Signature") ?? "",
    inQuery: false,
  };
}

function signatureOfQuery(query: URLSearchParams): RequestSignature {
  const missing = ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"]
    .filter((name) => !query.get(name))
    .map((name) => `AWS query-string parameters must include '${name}'. `);
  if (missing.length > 0) {
    const text = `${missing.join("")}Re-examine the query-string parameters.`;
    throw new ServiceError("IncompleteSignatureException", text);
  }
  return {
    ...splitCredential(query.get("X-Amz-Credential") ?? ""),
    signedHeaders: (query.get("X-Amz-SignedHeaders") ?? "").toLowerCase().split(";"),
    timestamp: query.get("X-Amz-Date") ?? "",
    signature: query.get("X-Amz-Signature") ?? "",
    inQuery: true,
  };
}

function splitCredential(credential: string): { accessKeyId: string; scope: string } {
  const slash = credential.indexOf("/");
  return slash < 0
    ? { accessKeyId: credential, scope: "" }
    : { accessKeyId: credential.slice(0, slash), scope: credential.slice(slash + 1) };
}

/**
 * Checks a signature against the keys the server knows, and its time against the service's clock.
 * @throws {ServiceError} UnrecognizedClientException for an unknown key, InvalidSignatureException for all else.
 */
export function checkSignature(
  signature: RequestSignature,
  request: SignedRequest,
  keys: readonly AccessKey[],
  wallNow: number,
): void {
  const key = keys.find((candidate) => candidate.accessKeyId === signature.accessKeyId);
  if (key === undefined) {
    throw new ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.");
  }
  checkTime(signature.timestamp, wallNow);
  const expected = Buffer.from(computeSignature(signature, request, key.secretAccessKey));
  const got = Buffer.from(signature.signature);
  if (expected.length !== got.length || !timingSafeEqual(expected, got)) {
    throw new ServiceError(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
}

function checkTime(timestamp: string, wallNow: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  const signedAt =
    match === null ? Number.NaN : Date.parse(`${match.slice(1, 4).join("-")}T${match.slice(4).join(":")}Z`);
  if (Number.isNaN(signedAt)) {
    throw new ServiceError("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.");
  }
  if (signedAt < wallNow - maxSkewMs) {
    const [oldest, now] = [compactTime(wallNow - maxSkewMs), compactTime(wallNow)];
    const text = `Signature expired: ${timestamp} is now earlier than ${oldest} (${now} - 5 min.)`;
    throw new ServiceError("InvalidSignatureException", text);
  }
  if (signedAt > wallNow + maxSkewMs) {
    const [newest, now] = [compactTime(wallNow + maxSkewMs), compactTime(wallNow)];
    const text = `Signature not yet current: ${timestamp} is still later than ${newest} (${now} + 5 min.)`;
    throw new ServiceError("InvalidSignatureException", text);
  }
}

function compactTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function computeSignature(signature: RequestSignature, request: SignedRequest, secret: string): string {
  const canonical = [
    request.method,
    canonicalPath(request.url),
    canonicalQuery(request.url),
    ...signature.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers[name])}`),
    "",
    signature.signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", signature.timestamp, signature.scope, sha256(canonical)].join("\n");
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of signature.scope.split("/")) key = hmac(key, part);
  return hmac(key, text).toString("hex");
}

/** Every part of the path encoded once more than on the request line, as for all services but S3. */
function canonicalPath(url: string): string {
  const path = url.split("?", 1)[0] ?? "/";
  return path === "" ? "/" : path.split("/").map(encodeStrictly).join("/");
}

function canonicalQuery(url: string): string {
  if (!url.includes("?")) return "";
  const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join("&");
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalHeader(value: string | readonly string[] | undefined): string {
  return (headerText(value) ?? "").trim().replaceAll(/ +/g, " ");
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(",");
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
