#include "core/cli/man_pages.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/text.h"
#include "core/base/version.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::cli {
namespace {

/// Text that troff prints as it is.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    // A control line begins with either of these.
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Bold(std::string_view text) {
  return "\\fB" + Plain(text) + "\\fR";
}

std::string Italic(std::string_view text) {
  return "\\fI" + Plain(text) + "\\fR";
}

/// With a capital letter and a full stop.
std::string Sentence(std::string text) {
  if (text.empty()) return text;
  if (text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
  if (!text.ends_with('.') && !text.ends_with(')')) text += '.';
  return text;
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string Head(const std::string& name, int section, const std::string& summary) {
  return ".TH " + Plain(Upper(name)) + ' ' + std::to_string(section) + " \"\" \"hookswitch " + std::string(kVersion) +
         "\" \"hookswitch manual\"\n.nh\n.ad l\n.SH NAME\n" + Plain(name) + " \\- " + Plain(summary) + '\n';
}

std::string Item(const std::string& term, const std::string& text) {
  return ".TP\n" + term + '\n' + (text.empty() ? std::string("\\&") : text) + '\n';
}

/// What a help text says below the options: headings end in ":", names are indented. `heading`: the macro for them.
std::string Paragraphs(const std::string& text, std::string_view heading = ".SH ") {
  std::string out;
  std::istringstream lines(text);
  bool follows = false;  // a paragraph begins after an empty line
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      follows = false;
    } else if (line.starts_with("  ")) {
      const std::string rest = line.substr(2);
      const auto gap = rest.find("  ");
      out += Item(Bold(rest.substr(0, gap)), gap == std::string::npos ? "" : Plain(Sentence(rest.substr(gap + 2))));
    } else if (line.ends_with(':')) {
      out += std::string(heading) + Plain(Upper(line.substr(0, line.size() - 1))) + '\n';
    } else {
      out += (follows ? "" : ".PP\n") + Plain(line) + '\n';
      follows = true;
    }
  }
  return out;
}

std::string TermOf(const OptionRow& option) {
  std::string term;
  for (const auto& name : option.names) {
    const std::string shown = option.positional ? Italic(Upper(name)) : Bold(name);
    term += (term.empty() ? "" : ", ") + shown;
  }
  if (option.positional || option.value.empty()) return term;
  return term + ' ' + (option.choices.empty() ? Italic(option.value) : Bold(Joined(option.choices, "|")));
}

std::string OptionItem(const OptionRow& option) {
  std::string text = Plain(Sentence(option.description));
  if (option.positional && !option.choices.empty()) text = Plain(Sentence("one of " + Joined(option.choices, ", ")));
  if (!option.otherwise.empty()) text += " The default is " + Bold(option.otherwise) + '.';
  return Item(TermOf(option), text);
}

/// "hookswitch sinks pause [OPTIONS] NAME"
std::string Synopsis(const CommandRow& command) {
  std::string line = Bold("hookswitch" + (command.path.empty() ? "" : ' ' + command.name()));
  for (const auto& option : command.options) {
    if (option.required && !option.positional) line += ' ' + TermOf(option);
  }
  line += " [" + Italic("OPTIONS") + ']';
  for (const auto& option : command.options) {
    if (!option.positional) continue;
    const std::string name = Italic(Upper(option.names.front()));
    line += option.required ? ' ' + name : " [" + name + ']';
  }
  return line + '\n';
}

/// Where the headed sections begin in what a help text says below the options: before them are paragraphs.
std::size_t HeadedFrom(const std::string& more) {
  for (std::size_t line = 0; line < more.size();) {
    const auto end = std::min(more.find('\n', line), more.size());
    if (end > line && more[line] != ' ' && more[end - 1] == ':') return line;
    line = end + 1;
  }
  return more.size();
}

std::string Inner(const CommandRow& command, std::set<std::string>& explained) {
  const std::size_t headed = HeadedFrom(command.more);
  std::string page = ".SS " + Plain("hookswitch " + command.name()) + '\n';
  page += Synopsis(command) + ".PP\n" + Plain(Sentence(command.description)) + '\n' +
          Paragraphs(command.more.substr(0, headed));
  std::vector<std::string> known;
  for (const auto& option : command.options) {
    const std::string item = OptionItem(option);
    if (explained.insert(item).second || option.positional) {
      page += item;
    } else {
      known.push_back(Bold(option.names.back()));
    }
  }
  if (!known.empty()) page += ".PP\nIts other options are as above: " + Joined(known) + ".\n";
  return page + Paragraphs(command.more.substr(headed), ".PP\n.B ");
}

std::string CommandPage(const CommandRow& command) {
  const std::size_t headed = HeadedFrom(command.more);
  std::string page = Head("hookswitch-" + command.path.front(), 1, command.description) + ".SH SYNOPSIS\n";
  if (!command.needs_command) page += Synopsis(command);
  for (const auto& inner : command.commands) page += (page.ends_with("SYNOPSIS\n") ? "" : ".br\n") + Synopsis(inner);
  page += ".SH DESCRIPTION\n" + Plain(Sentence(command.description)) + '\n' +
          Paragraphs(command.more.substr(0, headed)) + ".SH OPTIONS\n";
  std::set<std::string> explained;
  for (const auto& option : command.options) {
    explained.insert(OptionItem(option));
    page += OptionItem(option);
  }
  if (!command.commands.empty()) page += ".SH SUBCOMMANDS\n";
  for (const auto& inner : command.commands) page += Inner(inner, explained);
  page += Paragraphs(command.more.substr(headed));
  return page + ".SH SEE ALSO\n.BR hookswitch (1),\n.BR hookswitch.yaml (5)\n";
}

std::string KeyItem(const SchemaKey& key) {
  std::string about = key.type + (key.required ? "; required" : "");
  if (!key.otherwise.empty()) about += "; default " + key.otherwise;
  return Item(Bold(key.path), Italic(about) + (key.description.empty() ? "" : "\n.br\n" + Plain(key.description)));
}

constexpr const char* kOfConfig =
    R"(One YAML file, and those that it includes. Unknown keys, duplicate keys and wrong types are errors, which hookswitch check names with their lines. A secret is {env: NAME} or {file: PATH}, and never printed. Relative paths start at the file's folder. hookswitch reload has a running router read it again; keys that only a restart applies say so.

Durations are written 90s, 1m30s, 2h, 7d; sizes 64KiB, 1MiB; money 2.50 USD. <name> stands for a name of your own, [] for each item of a list. hookswitch schema prints the same as a JSON Schema for editors.)";

bool Write(const std::filesystem::path& folder, const ManPage& page) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream file(folder / page.file, std::ios::binary);
  file << page.text;
  return static_cast<bool>(file.flush());
}

}  // namespace

std::vector<ManPage> CommandPages(const CommandRow& program) {
  const auto colon = program.description.find(": ");
  std::string main =
      Head("hookswitch", 1, program.description.substr(colon + 2)) + ".SH SYNOPSIS\n" + Bold("hookswitch") + ' ' +
      Italic("COMMAND") + " [" + Italic("OPTIONS") + "]\n.SH DESCRIPTION\n" +
      "hookswitch takes the webhooks that voice\\-call platforms send, decides by rules in YAML who should "
      "hear of them, and delivers to anything that a sink plugin speaks. An event is on disk before its "
      "sender is answered.\n.SH COMMANDS\n";
  std::vector<ManPage> pages(1);
  for (const auto& command : program.commands) {
    const std::string name = "hookswitch-" + command.path.front();
    main += Item(Bold(name) + "(1)", Plain(Sentence(command.description)));
    pages.push_back({name + ".1", CommandPage(command)});
  }
  main += ".SH OPTIONS\n";
  for (const auto& option : program.options) main += OptionItem(option);
  main += Paragraphs(program.more) + ".SH SEE ALSO\n.BR hookswitch.yaml (5)\n";
  pages.front() = {"hookswitch.1", std::move(main)};
  return pages;
}

ManPage ConfigPage(const std::vector<SchemaKey>& keys, const std::vector<PluginKeys>& plugins) {
  std::string page =
      Head("hookswitch.yaml", 5, "the config of hookswitch") + ".SH DESCRIPTION\n" + Paragraphs(kOfConfig);
  std::string section;
  for (const auto& key : keys) {
    const std::string top = key.path.substr(0, key.path.find_first_of(".["));
    if (std::exchange(section, top) != top) page += ".SH " + Plain(Upper(top)) + '\n';
    page += KeyItem(key);
  }
  if (!plugins.empty()) page += ".SH CONFIG OF SINKS\nWhat stands below sinks.<name>.config, by plugin.\n";
  for (const auto& plugin : plugins) {
    page += ".SS " + Plain(plugin.name) + '\n' + Plain(Sentence(plugin.summary)) + '\n';
    for (const auto& key : plugin.keys) page += KeyItem(key);
  }
  page +=
      ".SH FILES\n.I /etc/hookswitch/hookswitch.yaml\n.SH SEE ALSO\n.BR hookswitch (1),\n.BR hookswitch\\-check (1)\n";
  return {"hookswitch.yaml.5", std::move(page)};
}

int WriteManPages(const Options& options, const CommandRow& program, const std::string& folder) {
  std::vector<PluginKeys> plugins;
  const auto host = PluginsFor(nullptr, options.program);
  for (const auto& file : host->List()) {
    const auto info = host->Inspect(file);
    if (!info) return Fail(info.error().message);
    boost::system::error_code not_json;
    const json::value schema = json::parse(info->config_schema, not_json, {}, DeepEnoughForConfigs());
    if (not_json || !schema.is_object()) continue;
    plugins.push_back({info->id, info->summary, KeysOf(schema.get_object())});
  }
  std::ranges::sort(plugins, {}, &PluginKeys::name);
  bool written = Write(folder + "/man5", ConfigPage(KeysOf(config::ConfigSchema()), plugins));
  for (const auto& page : CommandPages(program)) written = Write(folder + "/man1", page) && written;
  return written ? kFine : Fail("cannot write to " + folder);
}

}  // namespace hookswitch::cli
