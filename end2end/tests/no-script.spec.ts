import { expect, test } from '../support/test';
import { LoginPage } from '../pages/login';

const PASSWORD = 'typed without any script 4711';

for (const [what, path, says] of [
  ['sign-in', '/login', 'Signing in needs JavaScript'],
  ['sign-up', '/signup', 'Creating an account needs JavaScript'],
] as const) {
  test.describe(`${what} without JavaScript`, () => {
    test.use({ settings: { 'signup.mode': 'open' } });

    test('says why it does not work', async ({ page, server }) => {
      await server.person();
      await page.goto(path);
      const form = new LoginPage(page);
      await expect(form.button).toBeDisabled();
      // Playwright finds no text inside of noscript.
      const reason = page.locator('noscript .why');
      await expect(reason).toBeVisible();
      expect(await reason.textContent()).toContain(says);
    });

    test('sends no password, however it is submitted', async ({ page, server, watch }) => {
      watch.allowStatus(405, 403, 404, 400, 415);
      await server.person();
      const sent: string[] = [];
      page.on('request', (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`));
      const ways: Record<string, () => Promise<unknown>> = {
        'Enter in the name': () => page.getByLabel('Name', { exact: true }).press('Enter'),
        'Enter in the password': () => page.getByLabel('Password', { exact: true }).press('Enter'),
        'a click on the disabled button': () => page.locator('button[type=submit]').click({ force: true }),
        'a click on the other button': () => page.getByRole('button', { name: 'Show password' }).click(),
      };
      for (const [way, submit] of Object.entries(ways)) {
        await page.goto(path);
        await page.getByLabel('Name', { exact: true }).fill('ada');
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await submit();
        await page.waitForLoadState('networkidle');
        expect(page.url(), way).not.toContain('4711');
      }
      expect(sent.length).toBeGreaterThanOrEqual(Object.keys(ways).length);
      const form = sent.join('\n');
      for (const shape of [PASSWORD, encodeURIComponent(PASSWORD), PASSWORD.replaceAll(' ', '+'), '4711']) expect(form).not.toContain(shape);
    });

    test('has no way out for the password even if its button worked', async ({ page, server }) => {
      await server.person();
      await page.goto(path);
      const password = page.getByLabel('Password', { exact: true });
      expect(await password.getAttribute('name')).toBeNull();
      expect(await page.locator('form').getAttribute('method')).toBe('post');
    });
  });
}
