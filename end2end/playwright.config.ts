import { execFileSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';

/** Returns the system's browser; none is downloaded. */
function chromium(): string {
  return process.env.CHROMIUM || execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
}

export default defineConfig({
  testDir: 'tests',
  // One server for each file: tests in a file run one after the other, files run in parallel.
  fullyParallel: false,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    screenshot: 'only-on-failure',
    // A trace of every step takes a fifth of the time: `TRACE=1 npx playwright test`.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
    launchOptions: {
      executablePath: chromium(),
      args: [
        '--no-sandbox',
        // Apps on several root domains.
        '--host-resolver-rules=MAP *.test 127.0.0.1',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'hydrated', testIgnore: 'no-script.spec.ts' },
    { name: 'no-script', testMatch: 'no-script.spec.ts', use: { javaScriptEnabled: false } },
  ],
});
