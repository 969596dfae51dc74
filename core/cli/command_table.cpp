#include "core/cli/command_table.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "core/base/text.h"

namespace hookswitch::cli {
namespace {

OptionRow RowOf(const CLI::Option& option) {
  OptionRow row;
  row.positional = option.get_positional();
  if (row.positional) row.names.push_back(option.get_name(true));
  for (const auto& name : option.get_snames()) row.names.push_back('-' + name);
  for (const auto& name : option.get_lnames()) row.names.push_back("--" + name);
  row.description = option.get_description();
  row.otherwise = option.get_default_str();
  row.required = option.get_required();
  if (option.get_type_size() == 0) return row;
  // "FILE", and after colons what validators say: "{text,json}".
  const std::string type = option.get_type_name();
  row.value = type.substr(0, type.find(':'));
  if (const auto begin = type.find(":{"); begin != std::string::npos) {
    std::string choices = type.substr(begin + 2, type.find('}', begin) - begin - 2);
    while (!choices.empty()) {
      const auto end = std::min(choices.find(','), choices.size());
      row.choices.push_back(choices.substr(0, end));
      choices.erase(0, end + 1);
    }
  }
  return row;
}

CommandRow RowOf(const CLI::App& command, std::vector<std::string> path) {
  CommandRow row;
  row.path = std::move(path);
  row.description = command.get_description();
  row.more = command.get_footer();
  row.needs_command = command.get_require_subcommand_min() > 0;
  for (const CLI::Option* option : command.get_options()) row.options.push_back(RowOf(*option));
  for (const CLI::App* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> longer = row.path;
    longer.push_back(inner->get_name());
    row.commands.push_back(RowOf(*inner, std::move(longer)));
  }
  return row;
}

}  // namespace

std::string CommandRow::name() const {
  return Joined(path, " ");
}

CommandRow TableOf(const CLI::App& program) {
  return RowOf(program, {});
}

}  // namespace hookswitch::cli
