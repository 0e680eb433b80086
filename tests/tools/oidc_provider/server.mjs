// An authorization server on 127.0.0.1: node server.mjs FOLDER, in which oidc-provider is installed.
//
// Prints its issuer. SECRET is that of the client "service"; the client "person" has none. A POST to
// /approve/CODE is a person who signs in and enters the code.
import { createServer } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const entry = path.join(process.argv[2], "node_modules", "oidc-provider", "lib", "index.js");
const { default: Provider } = await import(pathToFileURL(entry));
const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";

const client = { redirect_uris: [], response_types: [] };
const api = { scope: "read", audience: "sts.amazonaws.com", accessTokenFormat: "jwt" };
const configuration = {
  clients: [
    { ...client, client_id: "service", client_secret: process.env.SECRET,
      grant_types: ["client_credentials"] },
    { ...client, client_id: "person", token_endpoint_auth_method: "none",
      application_type: "native", grant_types: [DEVICE_CODE, "refresh_token"] },
  ],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo: () => api },
  },
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
};

async function approve(provider, userCode) {
  const code = await provider.DeviceCode.findByUserCode(userCode.replace("-", ""));
  const grant = new provider.Grant({ accountId: "user", clientId: code.clientId });
  grant.addOIDCScope(code.params.scope);
  code.accountId = "user";
  code.authTime = Math.floor(Date.now() / 1000);
  code.scope = code.params.scope;
  code.grantId = await grant.save();
  await code.save();
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/approve/")) return answer(request, response);
    await approve(provider, request.url.slice("/approve/".length));
    response.end();
  });
  console.log(issuer);
});
