-- rows: $1, $0
SELECT t.id, t.symbol, t.name, t.decimal_separator, t.thousand_separator, t.placement, t.isdefault
FROM tblcurrencies AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblcurrencies AS t
