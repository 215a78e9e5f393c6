-- rows: $0
SELECT t.id, t.invoiceid, t.amount, t.paymentmode, t.paymentmethod, t.date, t.daterecorded, t.note
FROM tblinvoicepaymentrecords AS t
WHERE t.id = %s
