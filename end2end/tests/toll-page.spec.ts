import { expect, test, type Page, type Route } from '@playwright/test';
import { LOOKS, faults } from '../support/axe';
import { Chain } from '../support/chain';
import { Gate } from '../support/gate';
import { check } from '../support/keyboard';
import { Upstream } from '../support/upstream';

let chain: Chain;
let gate: Gate;
let upstream: Upstream;

test.use({ bypassCSP: true });
test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.slow();
  [chain, upstream] = await Promise.all([Chain.start(), Upstream.start()]);
  const to = `upstream = 'http://127.0.0.1:${upstream.port}'\n`;
  const price = "price = '0.002 XMR'\nquota = 100\n";
  const careful = `[[toll.routes]]\nname = 'careful'\npath = '/careful'\n${to}${price}zero_conf_below = '0 XMR'\n`;
  const quick = `[[toll.routes]]\nname = 'quick'\npath = '/quick'\n${to}${price}zero_conf_below = '0.005 XMR'\n`;
  gate = await Gate.start(chain, careful + quick);
});

test.afterAll(async () => {
  await gate?.remove();
  await upstream?.close();
  await chain?.stop();
});

const address = (page: Page) => page.locator('code').first().innerText();

/** Checks a page with axe and the keyboard, in every look, and that it fits a phone's width. */
async function inspect(page: Page, name: string): Promise<void> {
  // Most of these pages refresh, which would end the checks. After an answer without content, a page stays.
  const stay = (route: Route) => (route.request().isNavigationRequest() ? route.fulfill({ status: 204 }) : route.continue());
  await page.route('**/*', stay);
  await check(page, name);
  for (const [look, media] of Object.entries(LOOKS)) {
    await page.emulateMedia(media);
    expect.soft(await faults(page), `${name}, ${look}`).toEqual([]);
  }
  await page.emulateMedia(LOOKS.light);
  await page.setViewportSize({ width: 320, height: 700 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect.soft(wide, `${name}: fits`).toBeLessThanOrEqual(320);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.unroute('**/*', stay);
  await page.reload();
}

/** Opens a page that follows a payment. The gate must have seen the chain once. */
async function open(page: Page, path: string): Promise<void> {
  await expect(async () => {
    await page.goto(gate.origin + path);
    await expect(page.getByText('Waiting for your payment.')).toBeVisible({ timeout: 500 });
  }).toPass();
}

test('a person pays, proves nothing, and the page opens by itself', async ({ page, browser }) => {
  test.slow();
  await open(page, '/careful');
  await inspect(page, 'waiting');
  const mine = await address(page);
  const other = await browser.newPage();
  await open(other, '/careful');
  expect(await address(other)).not.toBe(mine);

  // Text that is typed into the page without reloading remains.
  await page.getByRole('link', { name: 'Stop refreshing' }).press('Enter');
  await expect(page.getByText('This page stays as it is.')).toBeVisible();
  expect(await address(page)).toBe(mine);
  await inspect(page, 'still');
  await page.getByLabel('Transaction ID').fill('ab');
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page).toHaveURL(`${gate.origin}/careful`);

  await chain.pay(mine, '0.001');
  await expect(page.getByRole('heading', { name: '0.001 XMR are missing' })).toBeVisible({ timeout: 20_000 });
  await inspect(page, 'missing');
  await chain.pay(mine, '0.001');
  await expect(page.getByText('It has 0 of 1 confirmations.')).toBeVisible({ timeout: 20_000 });
  await inspect(page, 'seen');
  await chain.mine();
  await expect(page.getByRole('heading', { name: 'The app' })).toBeVisible({ timeout: 20_000 });
  await expect(other.getByText('Waiting for your payment.')).toBeVisible();
  await other.close();
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('a small payment opens the page within seconds', async ({ page }) => {
    await open(page, '/quick');
    await chain.pay(await address(page), '0.002');
    await expect(page.getByRole('heading', { name: 'The app' })).toBeVisible({ timeout: 20_000 });
  });
});
