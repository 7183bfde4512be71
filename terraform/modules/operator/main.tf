# Parameters that the SAM template and the platform document read, so that nobody has to copy an id by hand. Ids are not
# secrets, and the operator rejects SecureStrings.

resource "aws_ssm_parameter" "text" {
  #checkov:skip=CKV2_AWS_34:an id or an address and not a secret; the operator rejects SecureStrings
  for_each = var.texts

  name           = "${var.path}/${each.key}"
  description    = "Written by Terraform, read by Ferryman"
  type           = "String"
  tier           = length(each.value) > 4096 ? "Advanced" : "Standard" # an Advanced parameter costs 0.05 USD per month
  insecure_value = each.value
}

resource "aws_ssm_parameter" "list" {
  #checkov:skip=CKV2_AWS_34:ids and not secrets; the operator rejects SecureStrings
  for_each = var.lists

  name           = "${var.path}/${each.key}"
  description    = "Written by Terraform, read by Ferryman"
  type           = "StringList"
  insecure_value = join(",", each.value)
}
