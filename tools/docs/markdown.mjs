// Links and headings of Markdown, as mdBook and code hosts parse them.

/** Pages of the reference: `tools/docs/reference.mjs` writes them from the programs when the documentation is built. */
export const GENERATED = ['settings', 'commands', 'client', 'http', 'metrics', 'errors', 'events'].map((name) => `docs/reference/${name}.md`);

/** Calls `change` for each line outside code blocks, and joins the results. */
export function mapProse(text, change) {
  let fence;
  return text
    .split('\n')
    .map((line, index) => {
      const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
      if (fence) {
        if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
        return line;
      }
      if (mark) {
        fence = mark;
        return line;
      }
      return change(line, index);
    })
    .join('\n');
}

// [text](target), <img src="target">, <a href="target">; not inside `code`.
const LINK = /(`[^`]*`)|(\]\()([^()\s]+)(\))|((?:src|href)=")([^"]+)(")/g;

/** Replaces the target of each link by the result of `change`. */
export function mapLinks(text, change) {
  return mapProse(text, (line, index) =>
    line.replace(LINK, (whole, code, open, target, close, attribute, quoted, quote) => {
      if (code) return whole;
      return open ? `${open}${change(target, index)}${close}` : `${attribute}${change(quoted, index)}${quote}`;
    }),
  );
}

/** Returns the ids of a page's headings. Equal headings get -1, -2 ... */
export function anchors(text) {
  const seen = new Map();
  const ids = new Set();
  mapProse(text, (line) => {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading !== undefined) {
      const own = /\{#([\w-]+)\}$/.exec(heading)?.[1];
      const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
      const id = own ?? plain.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, '').trim().replaceAll(' ', '-');
      const before = seen.get(id) ?? 0;
      seen.set(id, before + 1);
      ids.add(before === 0 ? id : `${id}-${before}`);
    }
    for (const [, id] of line.matchAll(/<(?:a|span|div)[^>]*\sid="([^"]+)"/g)) ids.add(id);
    return line;
  });
  return ids;
}
