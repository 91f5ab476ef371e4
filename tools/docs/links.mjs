// Checks the links of every Markdown file of the repository: the file exists, and so does the heading.
// `node tools/docs/links.mjs`, or with the folder of a staged book, where the generated pages exist too.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { GENERATED, anchors, mapLinks } from './markdown.mjs';

const staged = process.argv[2];
const root = resolve(staged ?? join(import.meta.dirname, '../..'));
const pages = staged ? pagesBelow(root) : committed();
const faults = pages.flatMap(faultsOf);
if (!staged) faults.push(...unlisted());
faults.forEach((fault) => console.error(fault));
if (faults.length > 0) process.exit(1);
console.log(`${pages.length} pages, no broken link`);

function pagesBelow(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md')).sort();
}

/** Returns files of git and new ones, without ignored ones; without git, every file of docs. */
function committed() {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
    return listed.split('\0').filter((name) => name && existsSync(join(root, name))).sort();
  } catch {
    return pagesBelow(join(root, 'docs')).map((name) => join('docs', name));
  }
}

function faultsOf(page) {
  const found = [];
  mapLinks(readFileSync(join(root, page), 'utf8'), (target, index) => {
    const fault = faultOf(page, target);
    if (fault) found.push(`${page}:${index + 1}: ${target}: ${fault}`);
    return target;
  });
  return found;
}

function faultOf(page, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path, anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
  if (file.startsWith('..')) return 'outside of the repository';
  if (!staged && GENERATED.includes(file)) return undefined;
  if (!existsSync(join(root, file))) return 'no such file';
  if (anchor === undefined || anchor === '') return undefined;
  if (!file.endsWith('.md') || statSync(join(root, file)).isDirectory()) return 'only pages have headings';
  return anchors(readFileSync(join(root, file), 'utf8')).has(anchor) ? undefined : 'no such heading';
}

/** Returns the pages of docs that the table of contents does not list, so that nobody would find them. */
function unlisted() {
  const summary = readFileSync(join(root, 'docs/SUMMARY.md'), 'utf8');
  const listed = new Set();
  mapLinks(summary, (target) => {
    listed.add(relative(root, resolve(root, 'docs', target)));
    return target;
  });
  const missing = GENERATED.filter((page) => !listed.has(page));
  const own = pages.filter((page) => page.startsWith('docs/') && !page.startsWith('docs/adr/') && page !== 'docs/SUMMARY.md');
  return [...missing, ...own.filter((page) => !listed.has(page))].map((page) => `docs/SUMMARY.md: does not list ${page}`);
}
