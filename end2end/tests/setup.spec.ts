import { Dashboard } from '../pages/dashboard';
import { SignupPage } from '../pages/signup';
import { Client } from '../support/client';
import { newPassword } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test.use({ alone: true });

const NAME = 'margarethe';

test('the first start leads to the set-up, and its link makes one administrator', async ({ page, visit, server, watch }) => {
  watch.allowStatus(403);
  const link = server.setupLink ?? '';
  await page.goto('/login');
  await expect(page.getByText('created with the setup link')).toBeVisible();
  await expect(page.locator('form')).toHaveCount(0);
  await page.goto('/dashboard');
  expect(page.url()).toContain('/login');

  const setup = new SignupPage(page);
  await setup.open(link);
  expect(page.url()).toBe(`${server.origin}/signup`);
  await expect(page.getByText('so it becomes an administrator')).toBeVisible();
  await setup.submit({ name: NAME, password: newPassword() });
  await page.waitForURL(at('/dashboard'));
  const dashboard = new Dashboard(page);
  await expect(dashboard.name).toHaveText(NAME);
  await expect(page.getByText('You are an administrator of this site.')).toBeVisible();

  await test.step('the link is worth nothing any more', async () => {
    const late = await visit();
    const used = new SignupPage(late);
    await used.open(link);
    await used.submit({ name: 'second', password: newPassword() });
    await expect(used.alert).toContainText('This link is not complete, or not valid any more.');

    const client = new Client(server);
    const challenge = await client.challenge();
    const account = { username: 'second', password: newPassword(), code: link.split('#code=')[1] };
    const answer = await client.post('/api/signup', client.seal(challenge, account, undefined, { type: 'signup+jwe' }));
    expect([answer.status, answer.json.code]).toEqual([403, 'signup_closed']);

    expect((await server.command(['setup'])).code).toBe(1);
  });

  await test.step('and sign-in is open', async () => {
    const other = await visit();
    await other.goto('/login');
    await expect(other.locator('form')).toHaveCount(1);
  });
});

test('the code does not stay in the page, the history or the log', async ({ page, server }) => {
  const code = server.setupLink?.split('#code=')[1] ?? 'none';
  expect(code).toMatch(/^[\w-]{24}$/);
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url() + (request.postData() ?? '')));
  const setup = new SignupPage(page);
  await setup.signUp({ name: NAME, password: newPassword() }, server.setupLink);
  expect(await page.content()).not.toContain(code);
  expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2);
  await page.goBack();
  expect(page.url()).not.toContain(code);
  expect(urls.join('\n').replaceAll(`#code=${code}`, '')).not.toContain(code);
  expect(server.log).not.toContain(code);
});

test('only one of two that come at once is the first', async ({ server }) => {
  const code = server.setupLink?.split('#code=')[1];
  const answers = await Promise.all(
    ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'].map(async (address, index) => {
      const client = new Client(server, address);
      const account = { username: `first${index}`, password: newPassword(), code };
      return client.post('/api/signup', client.seal(await client.challenge(), account, undefined, { type: 'signup+jwe' }));
    }),
  );
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403, 403, 403]);
  expect((await server.command(['user', 'list'])).stdout.trim().split('\n')).toHaveLength(1);
});

test('another code makes nobody an administrator', async ({ page, server, watch }) => {
  watch.allowStatus(403);
  const setup = new SignupPage(page);
  await setup.open(`/signup#code=${'A'.repeat(24)}`);
  await setup.submit({ name: NAME, password: newPassword() });
  await expect(setup.alert).toContainText('This is not the set-up link that is valid now.');
  expect((await server.command(['user', 'list'])).stdout).toBe('');
});

test('without a code the page says where it is', async ({ page }) => {
  await page.goto('/signup');
  const setup = new SignupPage(page);
  await expect(setup.alert).toContainText('setup link that the server printed');
  await expect(setup.button).toBeDisabled();
});

test('a link that was lost can be printed again', async ({ page, server }) => {
  const again = await server.command(['setup', '--set', `public_url=${server.origin}`]);
  expect(again.stdout.trim()).toBe(server.setupLink);
  await new SignupPage(page).signUp({ name: NAME, password: newPassword() }, again.stdout.trim());
});

test('a weak password is refused with the reason, and the name stays', async ({ page, server, watch }) => {
  watch.allowStatus(422);
  const setup = new SignupPage(page);
  await setup.open(server.setupLink);
  let posts = 0;
  page.on('request', (request) => (posts += Number(request.method() === 'POST')));

  await setup.submit({ name: NAME, password: 'fourteen chars' });
  await expect(setup.alert).toContainText('at least 15 characters');
  await expect(setup.name).toHaveValue(NAME);
  expect(posts, 'too short is known without asking').toBe(0);

  for (const password of ['passwordpassword', '123456789012345', 'margarethemargarethe']) {
    await setup.password.fill(password);
    await setup.button.click();
    await expect(setup.alert).toContainText('too easy to guess');
    await expect(setup.name).toHaveValue(NAME);
    await expect(setup.button).toBeEnabled();
    await setup.password.fill('');
  }
  expect((await server.command(['user', 'list'])).stdout).toBe('');
});

test('the worth of a password is told while it is typed', async ({ page, server }) => {
  const setup = new SignupPage(page);
  await setup.open(server.setupLink);
  await expect(setup.strength).toContainText('At least 15 characters.');
  await setup.password.pressSequentially('tadumi');
  await expect(setup.strength).toHaveText('9 more characters.');
  await setup.password.fill('aaaaaaaaaaaaaaaaaaaa');
  await expect(setup.strength).toContainText('easy to guess');
  await setup.password.fill('Zwölf Boxkämpfer jagen Viktor');
  await expect(setup.strength).toHaveText('Strong.');
  // Code points count, not bytes and not UTF-16 units.
  await setup.password.fill('🗝️🏰🚪🛡️🐉🌙'.repeat(1));
  await expect(setup.strength).toHaveText(/more characters\.$/);
});

test('a passphrase is suggested for the asking, another one each time', async ({ page, server }) => {
  const setup = new SignupPage(page);
  await setup.open(server.setupLink);
  await setup.suggest.click();
  const first = await setup.password.inputValue();
  expect(first).toMatch(/^[a-z]{6}(-[a-z]{6}){3}$/);
  await expect(setup.password).toHaveAttribute('type', 'text');
  await expect(setup.strength).toHaveText('Strong.');
  await setup.suggest.click();
  expect(await setup.password.inputValue()).not.toBe(first);

  await setup.name.fill(NAME);
  await setup.button.click();
  await page.waitForURL(at('/dashboard'));
});
