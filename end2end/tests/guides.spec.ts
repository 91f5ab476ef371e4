import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ELSEWHERE, Machine, blocks } from '../support/guide';
import { freePort } from '../support/server';
import { expect, test } from '@playwright/test';

// Every command and every setting of the guides, run as they are written there. A block that does not run says why.

const DOCS = join(__dirname, '../../docs');
const PAGES = ['start.md', 'upgrading.md', ...readdirSync(join(DOCS, 'guides'), { recursive: true, encoding: 'utf8' }).map((name) => `guides/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .sort();
const read = (page: string) => readFileSync(join(DOCS, page), 'utf8');

for (const page of PAGES) {
  test(`${page} works as it is written`, async () => {
    const machine = new Machine([await freePort(), await freePort()]);
    try {
      for (const block of blocks(read(page))) {
        const where = `${page}:${block.line}`;
        await test.step(where, () => {
          if (ELSEWHERE.test(block.mark)) return;
          if (block.language === 'sh') machine.run(block);
          else if (block.language === 'toml') expect(machine.settings(block.text)).toContain('Configuration is valid');
          else expect(block.language, `${where} is neither run nor marked`).toBe('text');
        });
      }
    } finally {
      machine.remove();
    }
  });
}

test('every page has something that runs, or is about a program that is not here', () => {
  expect(PAGES.length).toBeGreaterThan(10);
  for (const page of PAGES) {
    const run = blocks(read(page)).filter((block) => ['sh', 'toml'].includes(block.language) && !ELSEWHERE.test(block.mark));
    expect(run.length, page).toBeGreaterThan(0);
  }
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
