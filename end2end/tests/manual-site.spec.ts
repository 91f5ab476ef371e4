import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@playwright/test';

/** The folder of `make docs`. */
const MANUAL = process.env.MANUAL ?? '';

test('the manual is read and searched from a folder, without a server', async ({ page, context }) => {
  expect(MANUAL, 'MANUAL names no folder: run the tests with `make test`').not.toBe('');
  await context.setOffline(true);
  const failures: string[] = [];
  page.on('pageerror', ({ message }) => failures.push(message));
  page.on('requestfailed', (request) => failures.push(request.url()));
  await page.goto(pathToFileURL(join(MANUAL, 'index.html')).href);
  await page.keyboard.press('/');
  await page.getByRole('searchbox').pressSequentially('forwarded header proxy');
  const results = page.locator('#mdbook-searchresults a');
  await expect(results.first()).toBeVisible();
  await results.filter({ hasText: /proxy/i }).first().click();
  await expect(page).toHaveURL(/^file:.*\.html/);
  await expect(page.locator('main mark').first(), 'the words that were searched for').toBeVisible();
  expect(failures).toEqual([]);
});
