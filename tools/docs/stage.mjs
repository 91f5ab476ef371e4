// Copies the documentation to a folder where mdBook finds all of it: docs/, the files outside that its pages link to (below
// files/), and the decision records in the table of contents. `node tools/docs/stage.mjs FOLDER`
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { mapLinks } from './markdown.mjs';

const root = resolve(import.meta.dirname, '../..');
const folder = resolve(process.argv[2]);
const book = join(folder, 'src');

rmSync(folder, { recursive: true, force: true });
mkdirSync(book, { recursive: true });
cpSync(join(root, 'docs/book.toml'), join(folder, 'book.toml'));

/** Pages outside docs that are chapters. */
const chapters = new Set();
mapLinks(summary(), (target) => {
  chapters.add(normalize(join('docs', target)));
  return target;
});

const waiting = readdirSync(join(root, 'docs'), { recursive: true }).map((name) => join('docs', name));
const done = new Set();
while (waiting.length > 0) {
  const file = waiting.pop();
  if (done.has(file) || statSync(join(root, file)).isDirectory() || file === 'docs/book.toml') continue;
  done.add(file);
  const target = join(book, staged(file));
  mkdirSync(dirname(target), { recursive: true });
  if (!file.endsWith('.md')) {
    cpSync(join(root, file), target);
    continue;
  }
  const text = file === 'docs/SUMMARY.md' ? summary() : readFileSync(join(root, file), 'utf8');
  writeFileSync(target, mapLinks(text, (link) => moved(file, link)));
}

/** Returns the path in the book of a file of the repository. */
function staged(file) {
  return file.startsWith('docs/') ? file.slice('docs/'.length) : join('files', file);
}

/** Returns a link as it must be in the book; queues the file of its target. */
function moved(page, link) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('#')) return link;
  const [path, anchor] = link.split('#');
  let file = normalize(join(dirname(page), path));
  const absolute = join(root, file);
  if (existsSync(absolute) && statSync(absolute).isDirectory()) {
    if (!existsSync(join(absolute, 'README.md'))) return relative(dirname(staged(page)), listing(file));
    file = join(file, 'README.md');
  }
  if (!file.startsWith('docs/') && file.endsWith('.md') && !chapters.has(file)) {
    throw new Error(`${page} links to ${file}, which docs/SUMMARY.md does not list`);
  }
  if (existsSync(join(root, file))) waiting.push(file);
  const to = relative(dirname(staged(page)), staged(file));
  return anchor === undefined ? to : `${to}#${anchor}`;
}

/** Makes a page for a folder that has none: the names of its files. */
function listing(path) {
  const target = join(staged(path), 'files.txt');
  mkdirSync(join(book, staged(path)), { recursive: true });
  writeFileSync(join(book, target), readdirSync(join(root, path), { recursive: true }).sort().map((name) => `${path}/${name}\n`).join(''));
  return target;
}

/** Returns the table of contents, with each decision record below the index of records. */
function summary() {
  const records = readdirSync(join(root, 'docs/adr')).filter((name) => /^\d{4}-.*\.md$/.test(name)).sort();
  const lines = records.map((name) => {
    const title = /^#\s+(.*)$/m.exec(readFileSync(join(root, 'docs/adr', name), 'utf8'))?.[1] ?? name;
    return `  - [${title.replace(/[[\]]/g, '')}](adr/${name})`;
  });
  return readFileSync(join(root, 'docs/SUMMARY.md'), 'utf8').replace(/^(- \[.*\]\(adr\/README\.md\))$/m, (line) => [line, ...lines].join('\n'));
}
