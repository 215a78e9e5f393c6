-- rows: $0
SELECT t.id, t.symbol, t.name, t.decimal_separator, t.thousand_separator, t.placement, t.isdefault
FROM tblcurrencies AS t
WHERE t.id = ?
