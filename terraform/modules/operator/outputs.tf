output "parameters" {
  description = "Full name → value of every parameter."
  value = merge(
    { for parameter in aws_ssm_parameter.text : parameter.name => parameter.insecure_value },
    { for parameter in aws_ssm_parameter.list : parameter.name => parameter.insecure_value },
  )
}
