// Prints the one block of a page that runs in tools/dist-test.sh and contains a text: `node tools/dist/block.mjs PAGE TEXT`.
// Appends the page and the text to the file BLOCKS, if that variable is set.
import { appendFileSync, readFileSync } from 'node:fs';

const [page, text] = process.argv.slice(2);
const blocks = [...readFileSync(page, 'utf8').matchAll(/<!-- run: dist -->\n *```sh\n(.*?)```/gs)].map(([, block]) => block.replaceAll(/^ +/gm, ''));
const found = blocks.filter((block) => block.includes(text));
if (found.length !== 1) throw new Error(`${found.length} blocks of ${page} contain "${text}"`);
process.stdout.write(found[0]);
if (process.env.BLOCKS) appendFileSync(process.env.BLOCKS, `${page} ${text}\n`);
