-- groups: '0001-01-01', '%Y', '0001-01-01', '%Y', $0, '0001-01-01', '%Y', $2, $1
SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS date_format_1, count(*) AS count_1
FROM tblinvoicepaymentrecords AS t GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s)
HAVING count(*) > %s ORDER BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) ASC
 LIMIT %s, %s

-- count: '0001-01-01', '%Y', '0001-01-01', '%Y', $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM (SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS g0 FROM tblinvoicepaymentrecords AS t GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) HAVING count(*) > %s) AS g
