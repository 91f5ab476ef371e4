import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { BannedPage } from '../pages/banned';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { SignupPage } from '../pages/signup';
import { Client } from '../support/client';
import { newPassword, type Person, type Server } from '../support/server';
import { expect, test } from '../support/test';

// The program that searches the page is a string, and the page's own policy would run none.
test.use({ bypassCSP: true, settings: { 'signup.mode': 'open', 'ban.invalid_credentials.ladder': '["1m"]' } });

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).options({ rules: { 'target-size': { enabled: true } } }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim()})`));
}

async function lift(server: Server): Promise<void> {
  await server.command(['ban', 'lift', '127.0.0.1']);
  const client = new Client(server);
  await expect.poll(async () => (await client.get('/api/challenge')).status).toBe(200);
}

/** Every page, as somebody meets it; `look` is called on each. */
async function everyPage(page: Page, server: Server, ada: Person, look: (name: string) => Promise<void>): Promise<void> {
  const login = new LoginPage(page);
  await login.open();
  await look('login');
  await login.submit({ ...ada, password: newPassword() });
  await expect(login.countdown).toContainText('You can try again in');
  await look('login with an error');
  await page.reload();
  await expect(login.countdown).toContainText('You can try again in');
  await look('login while it is closed');
  await lift(server);

  const signup = new SignupPage(page);
  await signup.open();
  await signup.suggest.click();
  await look('signup');
  await page.goto('/nothing');
  await look('nothing');

  await login.signIn(ada);
  await look('dashboard');
  await page.goto('/dashboard/devices');
  await look('devices');
  await new Dashboard(page).endOthers.click();
  await look('devices with a question');
  await page.goto('/dashboard/activity');
  await look('activity');

  await new Client(server).post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) });
  await page.goto('/dashboard');
  await expect(new BannedPage(page).heading).toBeVisible();
  await look('banned');
  await lift(server);
}

/** Somebody with two more devices and a history. */
async function somebody(server: Server): Promise<Person> {
  const ada = await server.person();
  for (const address of ['127.0.0.71', '127.0.0.72']) {
    await new Client(server, address, { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' }).login(ada);
  }
  await new Client(server, '127.0.0.73').login({ ...ada, password: newPassword() });
  return ada;
}

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
} as const;

for (const [look, options] of Object.entries(LOOKS)) {
  for (const width of [360, 1280]) {
    test(`axe finds nothing, ${look}, ${width} px wide`, async ({ visit, server, watch }) => {
      test.slow();
      watch.allowStatus(401, 403, 404);
      const page = await visit({ ...options, bypassCSP: true, viewport: { width, height: 800 } });
      const found: Record<string, string[]> = {};
      await everyPage(page, server, await somebody(server), async (name) => {
        found[name] = await faults(page);
      });
      expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
      expect(Object.keys(found)).toHaveLength(10);
    });
  }
}

for (const [what, viewport] of [
  ['320 px', { width: 320, height: 640 }],
  ['1280 px at 200 %', { width: 640, height: 400 }],
] as const) {
  test(`nothing scrolls sideways at ${what}`, async ({ visit, server, watch }) => {
    watch.allowStatus(401, 403, 404);
    const page = await visit({ viewport });
    const wide: string[] = [];
    await everyPage(page, server, await somebody(server), async (name) => {
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      if (Number(content) > Number(window)) wide.push(`${name}: ${content}`);
    });
    expect(wide).toEqual([]);
  });
}

test('what can be touched is large enough on a telephone', async ({ visit, server, watch }) => {
  watch.allowStatus(401, 403, 404);
  const page = await visit({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const small: string[] = [];
  await everyPage(page, server, await somebody(server), async (name) => {
    const boxes = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, nav a, a.button, a.home, summary')]
        .map((element) => ({ box: element.getBoundingClientRect(), html: element.outerHTML.slice(0, 80) }))
        .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 44))
        .map(({ box, html }) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`),
    );
    small.push(...boxes.map((box) => `${name}: ${box}`));
  });
  expect(small).toEqual([]);
});

test('nothing moves where motion is not wanted', async ({ visit, server }) => {
  const page = await visit({ reducedMotion: 'reduce' });
  await new LoginPage(page).signIn(await server.person());
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationDuration } = getComputedStyle(element);
      return [transitionDuration, animationDuration].some((text) => text.split(',').some((one) => Number.parseFloat(one) > 0.01));
    }).length,
  );
  expect(moving).toBe(0);
});
