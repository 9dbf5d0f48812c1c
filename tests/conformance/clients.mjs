// What a client of the official TypeScript SDK sees of a server: everything that it has, as one line of JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, ...rest] = process.argv.slice(2);
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(rest[0]))
    : new StdioClientTransport({ command: rest[0], args: rest.slice(1), stderr: "inherit" });
const client = new Client({ name: "test", version: "1" });
await client.connect(transport);
const progress = [];
const seen = {
  tools: (await client.listTools()).tools.map((tool) => tool.name),
  called: await client.callTool({ name: "test_tool_with_progress", arguments: {} }, undefined, {
    onprogress: (note) => progress.push(note.progress),
  }),
  resources: (await client.listResources()).resources.map((resource) => resource.uri),
  templates: (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate),
  read: (await client.readResource({ uri: "test://template/7/data" })).contents,
  prompts: (await client.listPrompts()).prompts.map((prompt) => prompt.name),
  prompt: await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "one", arg2: "two" } }),
  completed: (
    await client.complete({
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: "testV" },
    })
  ).completion.values,
  subscribed: await client.subscribeResource({ uri: "test://watched-resource" }),
  unsubscribed: await client.unsubscribeResource({ uri: "test://watched-resource" }),
};
await client.close();
console.log(JSON.stringify({ ...seen, progress }));
process.exit(0);
