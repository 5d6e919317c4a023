// Numbers and names as people read them.

/** `18.6 KB`: thousands, as files are shown by most systems. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  for (const [unit, size] of [["KB", 1e3], ["MB", 1e6], ["GB", 1e9]]) {
    if (count < size * 1000) return `${(count / size).toLocaleString("en", { maximumFractionDigits: count < size * 10 ? 1 : 0 })} ${unit}`;
  }
  return `${Math.round(count / 1e9)} GB`;
}

/** `32 MiB`, as limits are set; never more than there is. */
export function mebibytes(count) {
  return count < 2 ** 20 ? bytes(count) : `${Math.floor(count / 2 ** 20)} MiB`;
}

/** `18.6 ms`, `1.2 s`. */
export function millis(count) {
  if (count < 1000) return `${count.toLocaleString("en", { maximumFractionDigits: count < 10 ? 1 : 0 })} ms`;
  return `${(count / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}

/** `image/png` is `PNG`. */
export function format(contentType) {
  return contentType.replace("image/", "").toUpperCase();
}

/** `.jpg`, as files of this type are named. */
export function extension(contentType) {
  return contentType === "image/jpeg" ? "jpg" : contentType.replace("image/", "");
}

/** What stands before the last dot. */
export function stem(name) {
  return name.replace(/\.[^.]*$/, "") || "image";
}

/** `today, 14:05` or `Nov 28, 14:05`. */
export function moment(rfc3339) {
  const date = new Date(rfc3339);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? `today, ${time}` : `${date.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

/** One word of a shell, quoted where it has to be. */
export function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
