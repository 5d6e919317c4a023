// A zip archive of files that are compressed already: the method "store" (APPNOTE.TXT 4.3, 4.4.5), names in UTF-8, no file of 4 GB.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as zip has it. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const UTF8_NAMES = 0x0800;
const VERSION = 20;

/** Fields of 2 and 4 bytes, little-endian. */
function record(fields) {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((length, [size]) => length + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) bytes.setUint16(at, value, true);
    else bytes.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(bytes.buffer);
}

/** Date and time of MS-DOS, to two seconds. */
function stamp(date) {
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return [[2, time], [2, day]];
}

/**
 * The archive.
 * @param {{ name: string, bytes: Uint8Array }[]} files
 */
export function zip(files, date = new Date()) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name);
    const common = [[2, VERSION], [2, UTF8_NAMES], [2, 0], ...stamp(date), [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0]];
    const head = record([[4, 0x04034b50], ...common]);
    parts.push(head, path, bytes);
    directory.push(record([[4, 0x02014b50], [2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), path);
    offset += head.length + path.length + bytes.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Names of which none comes twice: `photo.png`, `photo-2.png`. */
export function distinct(names) {
  const taken = new Set();
  return names.map((name) => {
    let free = name;
    for (let count = 2; taken.has(free); count += 1) free = name.replace(/(\.[^.]*)?$/, `-${count}$1`);
    taken.add(free);
    return free;
  });
}
