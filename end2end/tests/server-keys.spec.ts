import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test('a login that is sealed to a key which is over by then is sealed again, and nobody notices', async ({ page, server, watch }) => {
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  const current = async (): Promise<string> => (await new Client(server, '127.0.0.3').get('/api/challenge')).json.key.kid;

  // The envelope key is revoked between the challenge and the login.
  let challenges = 0;
  await page.route('**/api/challenge', async (route) => {
    const response = await route.fetch();
    challenges += 1;
    if (challenges === 1) {
      const { key } = await response.json();
      await server.command(['key', 'revoke', '--kind', 'envelope', key.kid]);
      await expect.poll(current).not.toBe(key.kid);
    }
    await route.fulfill({ response });
  });
  watch.allowStatus(400);
  const answers: number[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('/api/login')) answers.push(response.status());
  });
  await login.submit(ada);
  await page.waitForURL(at('/dashboard'));
  expect(answers).toEqual([400, 200]);
  expect((await server.command(['ban', 'list'])).stdout, 'it is no offence').toBe('');
});
