-- groups: '0001-01-01', '%Y', '0001-01-01', '%Y', '0001-01-01', '%Y', $1, $0
SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS date_format_1, sum(t.total) AS sum_1, count(DISTINCT t.currency) AS count_1
FROM tblinvoices AS t GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) ORDER BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) ASC
 LIMIT %s, %s

-- count: '0001-01-01', '%Y', '0001-01-01', '%Y'
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM (SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS g0 FROM tblinvoices AS t GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s)) AS g
