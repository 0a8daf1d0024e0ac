/**
 * Pure. Assembles a WebAssembly module that computes the MD5 of eight messages at a time.
 *
 * Each of a vector's four 32-bit lanes belongs to a message of its own, and two vectors are worked on in turn, so that one
 * fills the processor's units while the other waits. Source: RFC 1321; WebAssembly core specification 2.0, section 5.
 */
import { md5Steps } from "./md5-block.ts";

/** Where things stand in the module's memory, in bytes; the rest is the caller's. */
export const layout = { constants: 0, blockCounts: 256, digests: 512, messages: 1024 } as const;

const lanes = 4;
const groups = 2;
const initialState = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

type Code = readonly number[];

/** Unsigned and signed LEB128: how the format writes every number. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}
function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}
function name(text: string): Code {
  return vector([...Buffer.from(text)].map((byte) => [byte]));
}

// Instructions, by their names in the specification. Alignment is only a hint: 0 promises nothing.
const i32 = 0x7f;
const v128 = 0x7b;
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const memory = (offset: number): Code => [0, ...unsigned(offset)];
const op = {
  localGet: (local: number): Code => [0x20, ...unsigned(local)],
  localSet: (local: number): Code => [0x21, ...unsigned(local)],
  i32Const: (value: number): Code => [0x41, ...signed(value)],
  i32Add: [0x6a],
  i32LessUnsigned: [0x49],
  load: (offset: number): Code => [...simd(0), ...memory(offset)],
  load32Splat: (offset: number): Code => [...simd(9), ...memory(offset)],
  store: (offset: number): Code => [...simd(11), ...memory(offset)],
  shuffle: (words: readonly number[]): Code => [...simd(13), ...words.flatMap((word) => bytesOfWord(word))],
  splat: simd(17),
  greaterThan: simd(59),
  not: simd(77),
  and: simd(78),
  or: simd(80),
  xor: simd(81),
  bitselect: simd(82),
  shiftLeft: simd(171),
  shiftRightUnsigned: simd(173),
  add: simd(174),
} as const;

function bytesOfWord(word: number): Code {
  return [0, 1, 2, 3].map((byte) => 4 * word + byte);
}

// Parameters come first: where the first message stands, how far one stands from the next, the most blocks of any.
const first = 0;
const stride = 1;
const blocks = 2;
const block = 3;
const pointers = Array.from({ length: lanes * groups }, (_, index) => 4 + index);
const firstVector = 4 + pointers.length;
let vectors = 0;
const newVector = () => firstVector + vectors++;
const groupLocals = Array.from({ length: groups }, () => ({
  state: initialState.map(newVector),
  before: initialState.map(newVector),
  words: Array.from({ length: 16 }, newVector),
  rows: Array.from({ length: lanes }, newVector),
  counts: newVector(),
}));
type Group = (typeof groupLocals)[number];
const constant = newVector();

function getAt(locals: readonly number[], index: number): Code {
  return op.localGet(locals[index] ?? 0);
}

/** Reads 64 bytes of each lane's message and turns rows of one message's words into vectors of one word of each. */
function loadWords(group: Group, index: number): Code {
  const { rows, words } = group;
  const code: number[] = [];
  for (let quarter = 0; quarter < 4; quarter++) {
    for (let lane = 0; lane < lanes; lane++) {
      code.push(...getAt(pointers, lanes * index + lane), ...op.load(16 * quarter), ...op.localSet(rows[lane] ?? 0));
    }
    for (const half of [0, 2]) {
      // Words `half` and `half + 1` of messages 0 and 1, then of 2 and 3; then joined by word.
      const pair = [half, 4 + half, half + 1, 5 + half];
      for (const [at, join] of [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ].entries()) {
        code.push(...getAt(rows, 0), ...getAt(rows, 1), ...op.shuffle(pair));
        code.push(...getAt(rows, 2), ...getAt(rows, 3), ...op.shuffle(pair));
        code.push(...op.shuffle(join), ...op.localSet(words[4 * quarter + half + at] ?? 0));
      }
    }
  }
  return code;
}

/** The mixing function of each round of sixteen steps; the first two are selections by b and by d. */
const mixes = [
  (b: Code, c: Code, d: Code): Code => [...c, ...d, ...b, ...op.bitselect],
  (b: Code, c: Code, d: Code): Code => [...b, ...c, ...d, ...op.bitselect],
  (b: Code, c: Code, d: Code): Code => [...b, ...c, ...op.xor, ...d, ...op.xor],
  (b: Code, c: Code, d: Code): Code => [...d, ...op.not, ...b, ...op.or, ...c, ...op.xor],
];

function compress(): Code {
  const code: number[] = [];
  for (const { round, step, word, rotation, roles } of md5Steps()) {
    code.push(
      ...op.i32Const(0),
      ...op.load32Splat(layout.constants + 4 * (16 * round + step)),
      ...op.localSet(constant),
    );
    for (const { state, words } of groupLocals) {
      const [a = 0, b = 0, c = 0, d = 0] = roles.map((role) => state[role] ?? 0);
      const mix = mixes[round] ?? (() => []);
      code.push(...op.localGet(a), ...mix(op.localGet(b), op.localGet(c), op.localGet(d)), ...op.add);
      code.push(...op.localGet(words[word] ?? 0), ...op.localGet(constant), ...op.add, ...op.add, ...op.localSet(a));
      code.push(...op.localGet(a), ...op.i32Const(rotation), ...op.shiftLeft);
      code.push(...op.localGet(a), ...op.i32Const(32 - rotation), ...op.shiftRightUnsigned, ...op.or);
      code.push(...op.localGet(b), ...op.add, ...op.localSet(a));
    }
  }
  return code;
}

/** Adds the state before the block; a lane whose message has ended keeps what it had. */
function endBlock({ state, before, counts }: Group): Code {
  const isActive = [...op.localGet(counts), ...op.localGet(block), ...op.splat, ...op.greaterThan];
  return state.flatMap((local, index) => {
    const old = op.localGet(before[index] ?? 0);
    return [...op.localGet(local), ...old, ...op.add, ...old, ...isActive, ...op.bitselect, ...op.localSet(local)];
  });
}

function body(): Code {
  const code: number[] = [];
  for (const [index, pointer] of pointers.entries()) {
    code.push(...op.localGet(index === 0 ? first : (pointers[index - 1] ?? 0)));
    if (index > 0) code.push(...op.localGet(stride), ...op.i32Add);
    code.push(...op.localSet(pointer));
  }
  for (const [index, { state, counts }] of groupLocals.entries()) {
    for (const [at, local] of state.entries()) {
      code.push(...op.i32Const((initialState[at] ?? 0) | 0), ...op.splat, ...op.localSet(local));
    }
    code.push(...op.i32Const(0), ...op.load(layout.blockCounts + 16 * index), ...op.localSet(counts));
  }
  code.push(0x03, 0x40); // loop, without a result
  for (const [index, group] of groupLocals.entries()) {
    code.push(...loadWords(group, index));
    for (const [at, local] of group.state.entries()) {
      code.push(...op.localGet(local), ...op.localSet(group.before[at] ?? 0));
    }
  }
  code.push(...compress(), ...groupLocals.flatMap(endBlock));
  for (const pointer of pointers) {
    code.push(...op.localGet(pointer), ...op.i32Const(64), ...op.i32Add, ...op.localSet(pointer));
  }
  code.push(...op.localGet(block), ...op.i32Const(1), ...op.i32Add, ...op.localSet(block));
  code.push(...op.localGet(block), ...op.localGet(blocks), ...op.i32LessUnsigned, 0x0d, 0, 0x0b); // br_if 0, end
  for (const [index, { state }] of groupLocals.entries()) {
    for (const [at, local] of state.entries()) {
      code.push(...op.i32Const(0), ...op.localGet(local), ...op.store(layout.digests + 64 * index + 16 * at));
    }
  }
  return [...code, 0x0b];
}

/** The module's bytes. It exports `memory` and `digest(first, stride, blocks)`; block counts are read from memory. */
export function md5LanesModule(): Buffer {
  const constants = Buffer.alloc(256);
  for (const { round, step, addend } of md5Steps()) constants.writeInt32LE(addend, 4 * (16 * round + step));
  const locals = vector([
    [...unsigned(1 + pointers.length), i32],
    [...unsigned(vectors), v128],
  ]);
  const digest = [...locals, ...body()];
  return Buffer.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0, // "\0asm", version 1
    ...section(1, vector([[0x60, ...vector([[i32], [i32], [i32]]), 0]])), // types
    ...section(3, vector([[0]])), // functions
    ...section(5, vector([[0, 1]])), // memories: at least one page
    ...section(
      7,
      vector([
        [...name("memory"), 2, 0],
        [...name("digest"), 0, 0],
      ]),
    ), // exports
    ...section(10, vector([[...unsigned(digest.length), ...digest]])), // code
    ...section(11, vector([[0, ...op.i32Const(layout.constants), 0x0b, ...unsigned(constants.length), ...constants]])), // data
  ]);
}
