# What Terraform tells the operator. The SAM template and the platform document read these, so that nobody ever copies
# an id by hand; ids are no secrets, and the operator refuses SecureStrings.

resource "aws_ssm_parameter" "text" {
  #checkov:skip=CKV2_AWS_34:an id or an address, no secret; the operator refuses SecureStrings
  for_each = var.texts

  name           = "${var.path}/${each.key}"
  description    = "Written by Terraform, read by Ferryman"
  type           = "String"
  insecure_value = each.value
}

resource "aws_ssm_parameter" "list" {
  #checkov:skip=CKV2_AWS_34:ids, no secret; the operator refuses SecureStrings
  for_each = var.lists

  name           = "${var.path}/${each.key}"
  description    = "Written by Terraform, read by Ferryman"
  type           = "StringList"
  insecure_value = join(",", each.value)
}
