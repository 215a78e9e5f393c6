-- rows: $0
SELECT t.id, t.status, (SELECT t_1.name
FROM tblleads_status AS t_1
WHERE t.status = t_1.id AND t.status != 0
 LIMIT 1) AS status_label, t.source, (SELECT t_2.name
FROM tblleads_sources AS t_2
WHERE t.source = t_2.id
 LIMIT 1) AS source_label, t.name, t.title, t.company, t.description, t.country, t.zip, t.city, t.state, t.address, t.assigned, t.dateadded, t.from_form_id, t.lastcontact, t.dateassigned, t.last_status_change, t.addedfrom, t.email, t.website, t.leadorder, t.phonenumber, t.date_converted, t.lost, t.junk, t.last_lead_status, t.is_imported_from_email_integration, t.is_public, t.default_language, t.client_id, t.lead_value
FROM tblleads AS t
WHERE t.id = %s
