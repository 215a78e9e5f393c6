// A client of the gateway whose every request and answer is typed; prints what it got as one JSON object.

import { ClientError, GraphQLClient } from "graphql-request";

import {
  AddClientDocument,
  AddInvoicesDocument,
  InvoiceDocument,
  InvoicesDocument,
  RemoveClientDocument,
  RenameClientDocument,
  SalesDocument,
  WalkDocument,
  type ClientCreate,
  type ClientFieldsFragment,
  type InvoiceCreate,
  type InvoiceFilter,
} from "./generated/client.js";

const client = new GraphQLClient(process.env.GATEWAY_URL ?? "", {
  headers: { Authorization: `Bearer ${process.env.GATEWAY_TOKEN}` },
});

interface Refusal {
  status: number;
  errors: { message: string; path: unknown; extensions: unknown }[];
  data: unknown;
}

/** Returns how a request was refused. */
async function refused(asked: Promise<unknown>): Promise<Refusal> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof ClientError) {
      const { status, errors = [], data } = error.response;
      const told = errors.map(({ message, path, extensions }) => ({ message, path, extensions }));
      return { status, errors: told, data: data ?? null };
    }
    throw error;
  }
  throw new Error("nothing was refused");
}

/** Returns every client, page by page. */
async function walk(first: number): Promise<{ clients: ClientFieldsFragment[]; total: number | null; pages: number }> {
  const clients: ClientFieldsFragment[] = [];
  let after: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const { clients_connection: page }: { clients_connection?: WalkPage | null } = await client.request(WalkDocument, {
      first,
      after,
    });
    if (!page) throw new Error("no page");
    clients.push(...page.edges.map((edge) => edge.node));
    if (!page.pageInfo.hasNextPage) return { clients, total: page.totalCount ?? null, pages };
    after = page.pageInfo.endCursor ?? null;
  }
}

interface WalkPage {
  totalCount?: number | null;
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
  edges: { node: ClientFieldsFragment }[];
}

async function queries() {
  const filter: InvoiceFilter = {
    total_gte: "100.00",
    or: [{ status_in: [1, 2, 3] }, { client: { company_contains: "a" } }],
    not: { items: { none: { qty_gt: "0" } } },
  };
  const { invoices } = await client.request(InvoicesDocument, {
    filter,
    sort: [{ total: "DESC" }, { client: { company: "ASC" } }],
    withLines: true,
  });
  const first = invoices?.[0];
  if (!first) throw new Error("no invoices");
  const total: string = first.total; // a Decimal is text: no digit is lost on the way
  // @ts-expect-error  types are those of the selection: what was not asked for is not there
  const number: unknown = first.number;
  const one = await client.request(InvoiceDocument, { id: first.id });
  const none = await client.request(InvoiceDocument, { id: -1 });
  const sales = await client.request(SalesDocument, { least: 2 });
  return { invoices, total, isNumberAbsent: number === undefined, one, none, sales, walked: await walk(7) };
}

async function mutations() {
  const input: ClientCreate = { company: "Ægir & Söhne \u{1F4E6}", country: 57 };
  const tried = await client.request(AddClientDocument, { input, dryRun: true });
  const { createClient: made } = await client.request(AddClientDocument, { input });
  if (!made) throw new Error("no client");
  const renamed = await client.request(RenameClientDocument, {
    userid: made.userid,
    company: "Ægir",
    ifMatch: made._etag ?? null,
  });
  const stale = await refused(
    client.request(RenameClientDocument, { userid: made.userid, company: "Late", ifMatch: made._etag ?? null }),
  );

  const line = { description: "Work", qty: "2.50", rate: "19.98" };
  const good: InvoiceCreate = { clientid: made.userid, items: [line, { ...line, rate: "0.02" }] };
  const invoices = await client.request(AddInvoicesDocument, { first: good, second: good });
  const rolledBack = await refused(
    client.request(AddInvoicesDocument, { first: good, second: { ...good, clientid: 999_999 } }),
  );
  const blocked = await refused(client.request(RemoveClientDocument, { userid: made.userid }));

  const { createClient: other } = await client.request(AddClientDocument, { input: { company: "Short-lived" } });
  if (!other) throw new Error("no other client");
  const removed = await client.request(RemoveClientDocument, { userid: other.userid });
  return { tried, made, renamed, stale, invoices_made: invoices, rolledBack, blocked, other, removed };
}

async function mistakes() {
  const invalid = await refused(client.request("{ invoices { id nosuch } }"));
  const variable = await refused(client.request("query ($id: Int!) { invoices_by_key(id: $id) { id } }", { id: "x" }));
  const faults = await refused(client.request(AddClientDocument, { input: { company: "x".repeat(500) } }));
  return { invalid, variable, faults };
}

console.log(JSON.stringify({ ...(await queries()), ...(await mutations()), ...(await mistakes()) }));
