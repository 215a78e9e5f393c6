// Starts GraphiQL on the gateway's own GraphQL. No token is seen here: the browser sends what was typed into its dialog.
"use strict";

(() => {
  const endpoint = new URL("api/v1/graphql", document.baseURI);
  const welcome = `# Queries of the CRM behind this gateway.
#
#   Ctrl-Space   what can stand here
#   Ctrl-Enter   run
#
# A mutation changes real rows. With dryRun: true it
# only says what it would do.

`;

  // A refusal that is no GraphQL (401, 429, 503, ...) is a problem document: shown as an error of the same form.
  const asErrors = ({ detail, title, code, status, request_id }) => ({
    errors: [{ message: detail ?? title, extensions: { code, status, request_id } }],
  });

  const fetcher = async (parameters) => {
    const answer = await fetch(endpoint, {
      method: "POST",
      mode: "same-origin",
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
      headers: {
        Accept: "application/graphql-response+json, application/problem+json, application/json;q=0.9",
        "Content-Type": "application/json",
      },
      body: JSON.stringify(parameters),
    });
    const type = answer.headers.get("Content-Type") ?? "";
    if (!/\bjson\b/.test(type)) {
      throw new Error(`The answer is no JSON: HTTP ${answer.status}.`);
    }
    const body = await answer.json();
    return type.startsWith("application/problem+json") ? asErrors(body) : body;
  };

  const options = {
    fetcher,
    defaultQuery: welcome,
    isHeadersEditorEnabled: false, // what stands there would be another token, and the history would keep it
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
    schemaDescription: true,
  };
  const logo = React.createElement(GraphiQL.Logo, null, "GraphiQL"); // the usual one is a link to elsewhere
  const page = React.createElement(GraphiQL, options, logo);
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
})();
