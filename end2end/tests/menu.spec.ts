import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { LOOKS, faults } from '../support/axe';
import { expect, test } from '../support/test';
import { at } from '../support/url';

const PHONE = { viewport: { width: 360, height: 740 } };
const menu = (page: Page) => page.locator('#menu');
const button = (page: Page) => page.getByRole('button', { name: 'Menu' });

test('on a phone all pages are behind one button, in a header of one line', async ({ visit, server }) => {
  const page = await visit(PHONE);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const header = page.locator('header.top');
  expect((await header.boundingBox())?.height).toBeLessThan(72);
  // The site's name is not cut.
  const name = header.locator('.home > span');
  expect(await name.evaluate((text) => text.scrollWidth <= text.clientWidth && text.scrollHeight <= text.clientHeight)).toBe(true);
  await expect(menu(page)).toBeHidden();

  await test.step('the keyboard opens it, goes into it and closes it', async () => {
    await button(page).focus();
    await page.keyboard.press('Enter');
    await expect(menu(page)).toBeVisible();
    await page.keyboard.press('Tab');
    await expect(menu(page).getByRole('button', { name: 'Close' })).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(menu(page).getByRole('link', { name: 'Overview' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(menu(page)).toBeHidden();
    await expect(button(page)).toBeFocused();
  });

  await test.step('so do fingers', async () => {
    await button(page).click();
    await menu(page).getByRole('button', { name: 'Close' }).click();
    await expect(menu(page)).toBeHidden();
    await button(page).click();
    await page.mouse.click(350, 400);
    await expect(menu(page)).toBeHidden();
  });

  await test.step('what is administration is named so, and everything is large enough', async () => {
    await button(page).click();
    await expect(page.getByRole('navigation', { name: 'Administration' }).getByRole('link')).toHaveCount(8);
    for (const item of await menu(page).locator('a, button').all()) {
      const box = await item.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
    await menu(page).getByRole('link', { name: 'Bans' }).click();
    await page.waitForURL(at('/dashboard/bans'));
    await expect(menu(page)).toBeHidden();
  });
});

test('at 1280 px every page is a click away, and administration is a group of its own', async ({ page, server }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await new LoginPage(page).signIn(await server.person('administrator'));
  await expect(button(page)).toBeHidden();
  await expect(menu(page).getByText('Administration')).toBeVisible();
  const [pages, more] = await Promise.all(['Pages', 'Administration'].map((name) => page.getByRole('navigation', { name }).boundingBox()));
  expect(more?.y).toBeGreaterThanOrEqual((pages?.y ?? 0) + (pages?.height ?? 0));
});

test('a user sees no administration', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  await expect(page.getByText('Administration')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'This site' })).toHaveCount(0);
});

test('the menu needs no script', async ({ visit, server }) => {
  const page = await visit(PHONE);
  await new LoginPage(page).signIn(await server.person('administrator'));
  const still = await visit({ ...PHONE, javaScriptEnabled: false });
  await still.context().addCookies(await page.context().cookies());
  await still.goto('/dashboard');
  await button(still).click();
  await menu(still).getByRole('link', { name: 'Users' }).click();
  await still.waitForURL(at('/dashboard/users'));
  await expect(new Dashboard(still).heading).toHaveText('Users');
});

/** A folder for pictures: `PICTURES=folder npx playwright test menu`. */
const PICTURES = process.env.PICTURES;

test('axe finds nothing in the open menu, in any colours', async ({ visit, server }) => {
  const page = await visit({ ...PHONE, bypassCSP: true });
  await new LoginPage(page).signIn(await server.person('administrator'));
  await button(page).click();
  await menu(page).evaluate((drawer) => Promise.all(drawer.getAnimations().map((animation) => animation.finished)));
  for (const [look, media] of Object.entries(LOOKS)) {
    await page.emulateMedia(media);
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/menu, ${look}, 360.png` });
    expect.soft(await faults(page), look).toEqual([]);
  }
  await page.setViewportSize({ width: 320, height: 500 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});
