import os
from tests.db.test_query_model import *
import tests.support.query_model as M
W=M.World; which=os.environ["MUT"]
orig=W._compared; otruth=W.truth; oplace=W._place
if which=="null":
    W._compared=lambda s,t,r,l: bool(orig(s,t,r,l))
elif which=="every":
    def truth(self,t,r,c):
        if isinstance(c,M.Children) and c.quantifier=="every":
            start=self.along(t,r,c.path); src=self.table_at(t,c.path)
            if not (self.related(src,start,c.many) if start is not None else []): return False
        return otruth(self,t,r,c)
    W.truth=truth
elif which=="avg":
    from decimal import ROUND_HALF_EVEN, ROUND_DOWN
    M.ROUND_HALF_UP=ROUND_DOWN
elif which=="week":
    o=M.date_part
    M.date_part=lambda m,p: m.strftime("%Y-W%V") if p=="week" else o(m,p)
elif which=="zone":
    W._wall=lambda s,i,v: v
elif which=="limit":
    M.MOST_EMBEDDED=5
elif which=="poly":
    import tests.db.test_query_model as T
    for w in T.WORLDS.values():
        e=w.edges["firm","memos"]; w.edges["firm","memos"]=M.Edge(e.name,e.source,e.target,True,lambda r,o:o["rel_id"]==r["id"])
elif which=="related_null":
    o=W.field_at
    ol=W.ordered
    W.related=lambda s,t,r,n,oo=W.related: oo(s,t,r,n)[::-1]
