-- rows: $1, $0
SELECT t.id, t.symbol, t.name, t.decimal_separator, t.thousand_separator, t.placement, t.isdefault
FROM tblcurrencies AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblcurrencies AS t
