output "operator_parameters" {
  description = "SSM parameters that the operator's SAM template reads."
  value       = module.operator.parameters
}
