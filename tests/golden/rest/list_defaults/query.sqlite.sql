-- rows: $0, $1
SELECT t.id, t.symbol, t.name, t.decimal_separator, t.thousand_separator, t.placement, t.isdefault
FROM tblcurrencies AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblcurrencies AS t
