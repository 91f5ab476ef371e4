import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { SignupPage } from '../pages/signup';
import { expect, test } from '../support/test';
import { at } from '../support/url';

/** Removes a feature from every page before its own code runs. */
const without = (page: Page, script: string) => page.addInitScript(script);

const NO_WASM = 'delete globalThis.WebAssembly';
const SHOWN = '.stuck:visible';

test.describe('without WebAssembly', () => {
  for (const path of ['/login', '/resume', '/signup']) {
    test(`${path} says what is off and where to switch it on`, async ({ page, server, watch }) => {
      watch.allowMessage(/WebAssembly is not defined/);
      await server.person();
      await without(page, NO_WASM);
      await page.goto(path);
      await expect(page.locator(SHOWN)).toHaveCount(1);
      await expect(page.locator(SHOWN)).toContainText('WebAssembly is switched off in this browser');
      await expect(page.locator(SHOWN)).toContainText('Lockdown Mode');
      await expect(page.locator(SHOWN)).not.toContainText(/reload/i);
      if (path !== '/resume') await expect(page.locator('[type=submit]')).toBeDisabled();
    });
  }

  test('the dashboard says it too', async ({ page, server, watch }) => {
    await new LoginPage(page).signIn(await server.person());
    watch.allowMessage(/WebAssembly is not defined/);
    await without(page, NO_WASM);
    await page.goto('/dashboard/devices');
    await expect(page.locator(SHOWN)).toContainText('WebAssembly is switched off');
  });
});

test('a browser that cannot compile the code is told to be updated', async ({ page, server, watch }) => {
  watch.allowMessage(/CompileError/);
  await server.person();
  // A module of a version that does not exist yet.
  const body = Buffer.from([0, 0x61, 0x73, 0x6d, 9, 0, 0, 0]);
  await page.route('**/*.wasm', (route) => route.fulfill({ body, contentType: 'application/wasm' }));
  await page.goto('/login');
  await expect(page.locator(SHOWN)).toHaveCount(1);
  await expect(page.locator(SHOWN)).toContainText('Update the browser');
});

for (const [what, script, words] of [
  ['IndexedDB', "Object.defineProperty(globalThis, 'indexedDB', { value: undefined })", 'does not let the page store a key'],
  ['IndexedDB that may be used', "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }", 'does not let the page store a key'],
  ['crypto.subtle', "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })", 'does not let the page create keys'],
] as const) {
  test(`without ${what} sign-in works, and says why the session is not tied to the device`, async ({ page, server }) => {
    await without(page, script);
    const login = new LoginPage(page);
    await login.open();
    await expect(page.locator('#unbound')).toContainText(words);
    await expect(page.locator('#unbound')).not.toContainText('https');
    await login.submit(await server.person());
    await page.waitForURL(at('/dashboard'));
    await expect(new Dashboard(page).heading).toBeVisible();
    await expect(page.locator('.key-state')).toContainText('because this browser kept no key');
    for (const path of ['/dashboard/keys', '/dashboard/devices']) {
      await page.goto(path);
      await expect(page.getByText('opened without https')).toHaveCount(0);
    }
  });
}

test('sign-up says it as well', async ({ page, server }) => {
  await server.person();
  await without(page, "Object.defineProperty(globalThis, 'indexedDB', { value: undefined })");
  await page.goto('/signup');
  await expect(page.locator('#unbound')).toContainText('does not let the page store a key');
  await expect(new SignupPage(page).button).toBeDisabled();
});

test('/resume has a heading', async ({ page, server }) => {
  await server.person();
  await page.route('**/api/session', () => {});
  await page.goto('/resume');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Opening Postern');
});
