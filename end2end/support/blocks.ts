/** A code block of a page. */
export interface Block {
  language: string;
  text: string;
  /** The content of `<!-- run: ... -->` above it. */
  mark: string;
  line: number;
}

/** Returns the code blocks of a page, in order, without the indentation of a list. */
export function blocks(page: string): Block[] {
  const found: Block[] = [];
  const pattern = /(?:^ *<!-- run: ([^\n]*?) -->\n)?^( *)```(\w*)\n(.*?)^\2```$/gms;
  for (const match of page.matchAll(pattern)) {
    const [whole, mark = '', indentation = '', language = '', text = ''] = match;
    const dedented = text.replaceAll(new RegExp(`^${indentation}`, 'gm'), '');
    found.push({ language, text: dedented, mark, line: page.slice(0, match.index + whole.indexOf('```')).split('\n').length });
  }
  return found;
}
