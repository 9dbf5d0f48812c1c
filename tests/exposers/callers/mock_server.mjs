// The npm package oauth2-mock-server on a free port of loopback. What a token request gives as `claims`, in JSON, goes
// into the token, and null takes one out. `PORT` keeps a port over a restart, with new keys.
import { OAuth2Server } from "oauth2-mock-server";

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
await server.issuer.keys.generate("ES256");
server.service.on("beforeTokenSigning", (token, request) => {
  const form = request.body ?? {};
  Object.assign(token.payload, JSON.parse(form.claims ?? "{}"));
  for (const [name, value] of Object.entries(token.payload)) if (value === null) delete token.payload[name];
});
await server.start(Number(process.env.PORT ?? 0), "127.0.0.1");
server.issuer.url = `http://127.0.0.1:${server.address().port}`;
console.log(server.issuer.url);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
