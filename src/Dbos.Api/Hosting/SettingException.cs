namespace Dbos.Api.Hosting;

/// <summary>A setting has a value that cannot be meant: the sentence names it, the rule and the value.</summary>
public sealed class SettingException(string name, string rule, string value)
    : Exception($"{name} must be {rule}, but is '{value}'");
