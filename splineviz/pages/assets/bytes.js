/** Bytes of a page: out of text, inflated, and read as numbers. */

/** Bytes of base64 text. @param {string} text @returns {Uint8Array} */
export function fromBase64(text) {
  // @ts-ignore: not yet known to all
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

/** Undo zlib's compression with the browser's own means. @param {Uint8Array} bytes @returns {Promise<Uint8Array>} */
export async function inflate(bytes) {
  const stream = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The sections of one block of bytes, by name. */
export class Sections {
  /** @param {Uint8Array} bytes @param {[string, number][]} lengths name and number of bytes, in order */
  constructor(bytes, lengths) {
    /** @type {Map<string, Uint8Array>} */
    this.parts = new Map();
    let at = 0;
    for (const [name, length] of lengths) {
      this.parts.set(name, bytes.subarray(at, at + length));
      at += length;
    }
    if (at !== bytes.length) throw new Error(`the cells of this page are damaged: ${bytes.length} bytes, not ${at}`);
  }

  /** @param {string} name */
  has(name) {
    return this.parts.has(name);
  }

  /** @param {string} name @returns {Uint8Array} */
  bytes(name) {
    const part = this.parts.get(name);
    if (!part) throw new Error(`this page has no section ${name}`);
    return part;
  }

  /** Numbers of seven bits a byte. @param {string} name @param {Int32Array | Float64Array} into @returns {typeof into} */
  varints(name, into) {
    const part = this.bytes(name);
    let at = 0;
    for (let k = 0; k < into.length; k++) {
      let byte = part[at++];
      let value = byte & 127;
      for (let weight = 128; byte & 128; weight *= 128) {
        byte = part[at++];
        value += (byte & 127) * weight;
      }
      into[k] = value;
    }
    return into;
  }

  /** Numbers whose lowest bytes come first, then all second ones. @param {string} name @param {Float64Array | Uint32Array} into @returns {typeof into} */
  planes(name, into) {
    const part = this.bytes(name);
    const n = into.length;
    for (let k = 0, weight = 1; k * n < part.length; k++, weight *= 256) {
      for (let i = 0; i < n; i++) into[i] += part[k * n + i] * weight;
    }
    return into;
  }

  /** Single-precision numbers, as planes of bytes. @param {string} name @param {number} n */
  floats(name, n) {
    return new Float32Array(this.planes(name, new Uint32Array(n)).buffer);
  }

  /** @param {string} name @returns {Uint32Array} */
  words(name) {
    return new Uint32Array(this.bytes(name).slice().buffer);
  }

  /** @param {string} name @returns {Float64Array} */
  doubles(name) {
    return new Float64Array(this.bytes(name).slice().buffer);
  }
}

/** Numbers of either sign out of numbers >= 0: 0, 1, 2, 3 become 0, -1, 1, -2. @param {Float64Array} numbers */
export function unzigzag(numbers) {
  for (let k = 0; k < numbers.length; k++) {
    const half = Math.floor(numbers[k] / 2);
    numbers[k] = half * 2 === numbers[k] ? half : -half - 1;
  }
  return numbers;
}
