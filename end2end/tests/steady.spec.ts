import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { expect, test } from '../support/test';

/** Returns the layout shift since the page began (Layout Instability: 0 is none, people notice 0.1). */
async function shifted(page: Page): Promise<number> {
  // Code, fonts and islands have loaded by then, and the frame after them is drawn.
  await page.locator('.who button:enabled, [type=submit]:enabled').first().waitFor();
  return page.evaluate(
    () =>
      new Promise<number>((done) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            let sum = 0;
            const observer = new PerformanceObserver((list) => {
              for (const shift of list.getEntries() as (PerformanceEntry & { value: number })[]) sum += shift.value;
            });
            observer.observe({ type: 'layout-shift', buffered: true });
            // Buffered entries are delivered as a task of their own, before this timer's.
            setTimeout(() => done(sum), 50);
          }),
        ),
      ),
  );
}

for (const width of [360, 1280]) {
  test(`nothing jumps while a page loads, ${width} px`, async ({ page, server }) => {
    await page.setViewportSize({ width, height: 800 });
    const ada = await server.person('administrator');
    const login = new LoginPage(page);
    await login.open();
    expect.soft(await shifted(page), '/login').toBeLessThan(0.01);
    await login.signIn(ada);
    for (const path of ['', '/devices', '/keys', '/time', '/activity', '/account', '/users', '/invitations', '/bans', '/toll', '/server-keys', '/audit']) {
      await page.goto(`/dashboard${path}`);
      expect.soft(await shifted(page), `/dashboard${path}`).toBeLessThan(0.01);
    }
  });
}
