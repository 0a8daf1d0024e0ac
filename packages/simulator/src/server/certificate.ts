/**
 * Pure. A certificate for the loopback interface, made at start: nothing to install, nothing to keep secret on disk.
 *
 * One self-signed X.509 certificate (RFC 5280) with an ECDSA P-256 key; it is its own authority, so a client trusts it
 * by taking the same certificate as a CA. DER is written from the inside out: tag, length, content.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** A certificate with its private key, both PEM. */
export interface Certificate {
  /** For the server, and for clients as the authority to trust. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const dayMs = 86_400_000;

/** A certificate for `localhost`, 127.0.0.1, ::1 and the addresses given, valid from a day before `wallNow` for a year. */
export function createCertificate(wallNow: number, hosts: readonly string[] = []): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyInfo = publicKey.export({ type: "spki", format: "der" });
  const algorithm = sequence(oid("2a8648ce3d040302")); // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from("Millrace Kinesis simulator")))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serialNumber(keyInfo)),
    algorithm,
    name,
    sequence(utcTime(wallNow - dayMs), utcTime(wallNow + 364 * dayMs)),
    name,
    keyInfo,
    der(0xa3, sequence(...extensions(hosts))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    certificatePem: pem("CERTIFICATE", certificate),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

function extensions(hosts: readonly string[]): Buffer[] {
  const names = [...new Set(["localhost", "127.0.0.1", "::1", ...hosts])].map(subjectName);
  return [
    extension("551d13", true, sequence(der(0x01, Buffer.from([0xff])))), // basicConstraints: CA
    extension("551d0f", true, der(0x03, Buffer.from([2, 0x84]))), // keyUsage: digitalSignature, keyCertSign
    extension("551d25", false, sequence(oid("2b06010505070301"))), // extKeyUsage: serverAuth
    extension("551d11", false, sequence(...names)), // subjectAltName
  ];
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(0x04, value));
}

/** An address as a number where it is one, a DNS name otherwise. */
function subjectName(host: string): Buffer {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return der(0x87, Buffer.from(host.split(".").map(Number)));
  if (host === "::1") return der(0x87, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
  return der(0x82, Buffer.from(host, "latin1"));
}

/** Positive, and different for every key: two servers must not be taken for one. */
function serialNumber(keyInfo: Buffer): Buffer {
  const serial = createHash("sha256").update(keyInfo).digest().subarray(0, 16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** YYMMDDHHMMSSZ, which X.509 wants for years before 2050. */
function utcTime(wallMs: number): Buffer {
  const digits = new Date(wallMs).toISOString().replaceAll(/\D/g, "");
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
