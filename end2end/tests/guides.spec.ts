import { readFileSync, readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { blocks } from '../support/blocks';
import { ELSEWHERE, Machine } from '../support/guide';
import { freePort } from '../support/server';
import { expect, test } from '@playwright/test';

// Every command and every setting of the guides, run unchanged. A block that does not run names the reason.

const DOCS = join(__dirname, '../../docs');
const read = (page: string) => readFileSync(join(DOCS, page), 'utf8');
/** Pages with at least one block that runs. */
const GUIDES = ['start.md', 'upgrading.md', ...readdirSync(join(DOCS, 'guides'), { recursive: true, encoding: 'utf8' }).map((name) => `guides/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .sort();
/**
 * All pages of these parts of the table of contents, except those on clients of OpenID Connect, each of which has a
 * spec.
 */
const PAGES = [...new Set([...GUIDES, ...pagesIn('Guides'), ...pagesIn('Operation')])].filter((page) => !page.startsWith('clients/')).sort();

function pagesIn(part: string): string[] {
  const [, text = ''] = new RegExp(`^# ${part}\\n(.*?)^# `, 'ms').exec(read('SUMMARY.md')) ?? [];
  return [...text.matchAll(/\]\(([^)]+[.]md)\)/g)].map(([, page = '']) => normalize(page));
}

for (const page of PAGES) {
  test(`${page} works as it is written`, async () => {
    const machine = new Machine([await freePort(), await freePort()]);
    try {
      for (const block of blocks(read(page))) {
        const where = `${page}:${block.line}`;
        await test.step(where, () => {
          if (ELSEWHERE.test(block.mark)) return;
          if (block.language === 'sh') machine.run(block);
          else if (block.language === 'toml') expect(machine.settings(block.text, block.mark === 'after the settings above')).toContain('Configuration is valid');
          else expect(block.language, `${where} is neither run nor marked`).toBe('text');
        });
      }
    } finally {
      machine.remove();
    }
  });
}

test('two nodes come back to the moment that their operator names', async () => {
  const machine = new Machine([await freePort(), await freePort()]);
  const marked = (mark: string) => blocks(read('guides/two-nodes.md')).filter((block) => block.mark === mark);
  try {
    for (const block of marked('on the database')) machine.run(block);
    for (const block of marked('on node 1 with the database')) machine.run(block);
    const settings = blocks(read('guides/two-nodes.md')).find((block) => block.language === 'toml');
    machine.settings(settings?.text ?? '');
    expect(machine.bash('postern user list'), 'moved with the file').toContain('ada');
    for (const block of marked('on the database, in the background')) machine.run(block);
    machine.account('byron');
    const moment = machine.bash("psql -Atc 'SELECT now()' postgres").trim();
    machine.account('eve');
    const segment = machine.bash("psql -Atc 'SELECT pg_walfile_name(pg_switch_wal())' postgres").trim();
    await expect.poll(() => machine.bash('ls /var/backups/wal').split('\n'), 'the log arrives').toContain(segment);
    machine.end('/tmp/receivewal.pid');
    for (const block of marked('on the database, to a moment before the account eve was added')) {
      const text = block.text.replace(/2026-01-31 12:00:00\+00/, moment);
      expect(text).not.toBe(block.text);
      machine.run({ ...block, text });
    }
    const place = machine.revive(`${machine.root}/var/backups/back`, await freePort());
    const back = machine.bash(`postern user list --set database_url=postgres://postern:a-long-random-password@${place}/postern`);
    expect(back).toContain('byron');
    expect(back).not.toContain('eve');
  } finally {
    machine.remove();
  }
});

test('every page has something that runs, or is about a program that is not here', () => {
  expect(GUIDES.length).toBeGreaterThan(10);
  for (const page of GUIDES) {
    const run = blocks(read(page)).filter((block) => ['sh', 'toml'].includes(block.language) && !ELSEWHERE.test(block.mark));
    expect(run.length, page).toBeGreaterThan(0);
  }
});

test('every client of OpenID Connect that has a page signs somebody in', () => {
  const specs = readdirSync(__dirname).filter((name) => name.endsWith('.spec.ts') && name !== 'guides.spec.ts');
  const text = specs.map((name) => readFileSync(join(__dirname, name), 'utf8')).join('\n');
  for (const page of readdirSync(join(DOCS, 'clients'))) expect(text, page).toContain(page.replace('.md', ''));
});

test('Traefik passes on what Caddy passes on', () => {
  const [example] = blocks(read('guides/traefik.md')).filter((block) => block.language === 'yaml');
  const caddy = readFileSync(join(DOCS, '../deploy/caddy/app.Caddyfile'), 'utf8');
  const copied = /copy_headers (.*)/.exec(caddy)?.[1]?.split(' ') ?? [];
  const passed = /authResponseHeaders:\n((?: +- .*\n)+)/.exec(example?.text ?? '')?.[1]?.match(/[\w-]+$/gm);
  expect(copied.length).toBeGreaterThan(4);
  expect(passed).toEqual(copied);
  for (const header of [...copied.filter((name) => name !== 'Authorization'), 'X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method']) {
    expect(example?.text).toContain(`${header}: ""`);
  }
});
