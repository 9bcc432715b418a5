// Issuers from npm, as shipped and with the one setting each. Prints a line of JSON: for each host its port and its tokens.
const { OAuth2Server } = require('oauth2-mock-server');
const http = require('node:http');

// What they have to say of themselves is not this program's line.
console.info = console.log = console.error;

const AUDIENCE = 'https://sts.amazonaws.com';

// What the quick start of oidc-provider has, with client_credentials and JWT access tokens turned on.
const configuration = (more) => ({
  clients: [{ client_id: 'workload', client_secret: 'not-a-secret-of-anybody', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'read', audience: AUDIENCE, accessTokenFormat: 'jwt' }),
    },
  },
  ...more,
});

async function oidcProvider(Provider, host, isProxied, more) {
  const provider = new Provider(`https://${host}`, configuration(more));
  if (isProxied) provider.proxy = true;
  const server = http.createServer(provider.callback());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const answer = await fetch(`http://127.0.0.1:${port}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from('workload:not-a-secret-of-anybody').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'read', resource: AUDIENCE }),
  });
  const token = (await answer.json()).access_token;
  if (!token) throw new Error(`${host} gave no token: ${answer.status}`);
  return { port, tokens: { cc: token } };
}

async function mockServer(host, algorithm, hook) {
  const server = new OAuth2Server();
  await server.issuer.keys.generate(algorithm);
  await server.start(0, '127.0.0.1');
  server.issuer.url = `https://${host}`;
  if (hook) server.service.on('beforeTokenSigning', hook);
  const { port } = server.address();
  const answer = await fetch(`http://127.0.0.1:${port}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'read' }),
  });
  return { port, tokens: { cc: (await answer.json()).access_token } };
}

(async () => {
  const { Provider, default: fallback } = await import(require('node:url').pathToFileURL(require.resolve('oidc-provider')));
  const Server = Provider ?? fallback;
  const named = (token) => Object.assign(token.payload, { sub: 'workload-1', aud: AUDIENCE });
  const typed = { formats: { customizers: { jwt: (_ctx, _token, jwt) => { jwt.header = { ...jwt.header, typ: 'JWT' }; } } } };
  process.stdout.write(JSON.stringify({
    'op-shipped.example.com': await oidcProvider(Server, 'op-shipped.example.com', false, {}),
    'op-proxied.example.com': await oidcProvider(Server, 'op-proxied.example.com', true, {}),
    'op-typed.example.com': await oidcProvider(Server, 'op-typed.example.com', true, typed),
    'mock-shipped.example.com': await mockServer('mock-shipped.example.com', 'RS256'),
    'mock-named.example.com': await mockServer('mock-named.example.com', 'RS256', named),
    'mock-edwards.example.com': await mockServer('mock-edwards.example.com', 'EdDSA', named),
  }) + '\n');
})();
