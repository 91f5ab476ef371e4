import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test as base, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { Server, type Settings, type Verb } from './server';
import { Watch } from './watch';

export { expect } from '@playwright/test';

interface Fixtures {
  /** Settings of the server; another set of them is another server. */
  settings: Settings;
  /** Whether each test gets a server of its own instead of its file's. */
  alone: boolean;
  verb: Verb;
  /** A file with a certificate that the server trusts; empty: those of the system. */
  authority: string;
  server: Server;
  watch: Watch;
  /** One more browser, with cookies and keys of its own. */
  visit: (options?: BrowserContextOptions) => Promise<Page>;
  guard: void;
}

/** The server that the worker's file uses now. */
class Current {
  private key = '';
  private server: Server | undefined;

  async get(key: string, start: () => Promise<Server>): Promise<Server> {
    if (!this.server || this.key !== key) {
      await this.drop();
      this.server = await start();
      this.key = key;
    }
    return this.server;
  }

  async drop(): Promise<void> {
    await this.server?.remove();
    this.server = undefined;
  }
}

export const test = base.extend<Fixtures, { current: Current }>({
  settings: [{}, { option: true }],
  alone: [false, { option: true }],
  verb: ['serve', { option: true }],
  authority: ['', { option: true }],

  current: [
    async ({}, use) => {
      const current = new Current();
      await use(current);
      await current.drop();
    },
    { scope: 'worker' },
  ],

  server: async ({ current, settings, alone, verb, authority }, use, info) => {
    const logs = join(info.project.outputDir, 'servers');
    mkdirSync(logs, { recursive: true });
    const name = basename(info.file, '.spec.ts');
    const key = JSON.stringify([info.file, settings, verb, authority, alone ? info.testId : '']);
    await use(await current.get(key, () => Server.start(settings, join(logs, `${name}.log`), verb, authority)));
  },

  baseURL: async ({ server }, use) => use(server.origin),

  watch: async ({ server }, use) => use(new Watch(server.origin)),

  context: async ({ context, watch }, use) => {
    watch.follow(context);
    await use(context);
  },

  visit: async ({ browser, contextOptions, baseURL, watch }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ...contextOptions, ...(baseURL ? { baseURL } : {}), ...options });
      opened.push(context);
      watch.follow(context);
      return context.newPage();
    });
    await Promise.all(opened.map((context) => context.close()));
  },

  /** Fails a test if the server panicked or a page did something that `Watch` does not allow. */
  guard: [
    async ({ server, watch }, use, info) => {
      const before = server.log.length;
      await use();
      const log = server.log.slice(before);
      if (info.status !== info.expectedStatus) await info.attach('server log', { body: log, contentType: 'text/plain' });
      const panics = log.split('\n').filter((line) => line.includes('panicked'));
      const troubles = [...panics, ...watch.troubles];
      if (troubles.length > 0) throw new Error(`this must not happen:\n  ${troubles.join('\n  ')}`);
    },
    { auto: true },
  ],
});
