-- groups: '0001-01-01', $1, $0
SELECT count(*) AS count_1, sum(t.total) AS sum_1, round((sum(t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0))) * 1.0000000000) / count(t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0))), 6) AS round_1, max(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END) AS max_1, count(DISTINCT t.currency) AS count_2
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_1.invoiceid AS invoiceid, sum(t_1.amount) AS total
FROM tblinvoicepaymentrecords AS t_1 GROUP BY t_1.invoiceid) AS t_2 ON t_2.invoiceid = t.id LEFT OUTER JOIN (SELECT t_3.invoice_id AS invoice_id, sum(t_3.amount) AS total
FROM tblcredits AS t_3 GROUP BY t_3.invoice_id) AS t_4 ON t_4.invoice_id = t.id
 LIMIT %s, %s
