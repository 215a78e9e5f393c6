import time
from datetime import date
from gateway.query.intent import EmbedIntent, ReadIntent, PageIntent
from gateway.query.planner import plan_read
from gateway.sql import summaries
from sample_crm import build
from tests.support.app import served
from tests.support.asking import ALL
from gateway.sql.scope import Scope
async def test_x(mariadb_server):
    url = mariadb_server.create_database("gateway_gtmp")
    build(url, scale="bench", today=date(2026,7,15))
    mariadb_server.run("ANALYZE TABLE tblinvoices, tblclients, tblinvoicepaymentrecords, tblcredits", database="gateway_gtmp")
    async with served(url) as app:
        s = app.parts.keeper.service()
        for words in (("count","sum.total"),("sum.balance",),("sum.balance","avg.balance","count")):
            i = ReadIntent("clients", page=PageIntent(25), fields=("company",), embeds=(EmbedIntent(("n",), relationship="invoices", metrics=words),))
            p = plan_read(s.context(ALL), i)
            t=time.perf_counter(); r=await s.reads.page(p,"none"); t1=time.perf_counter()-t
            t=time.perf_counter(); r=await s.reads.page(p,"none"); t2=time.perf_counter()-t
            print(words, t1, t2, r.rows[0]["n"]["count"] if "count" in words else "")
            st = s.statements.summary(p.plan.summaries[0], 32)
            old = Scope.shown; Scope.shown = Scope.element
            st2 = summaries.compile_summary(s.catalog, p.plan.summaries[0], 32)
            Scope.shown = old
            links = [k+1 for k in range(25)]+[25]*7
            for name, x in (("lookup", st), ("joined", st2)):
                t=time.perf_counter(); rows = await app.database.fetch(x.text, x.bind(p.values, links)); print(name, len(rows), round((time.perf_counter()-t)*1e3,1), "ms")
    mariadb_server.drop_database("gateway_gtmp")
