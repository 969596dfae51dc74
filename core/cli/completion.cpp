#include <algorithm>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/cli/command_table.h"

namespace hookswitch::cli {
namespace {

/// What completes a value.
enum class Completes { kNothing, kChoices, kFiles, kFolders };

Completes HowToComplete(const OptionRow& option) {
  if (!option.choices.empty()) return Completes::kChoices;
  // A plugin is named, or its file is.
  if (option.value.starts_with("FILE") || option.value == "PLUGIN") return Completes::kFiles;
  return option.value == "DIR" ? Completes::kFolders : Completes::kNothing;
}

/// The positional argument that files complete, or nullptr.
const OptionRow* FileArgument(const CommandRow& command) {
  for (const auto& option : command.options) {
    if (option.positional && HowToComplete(option) != Completes::kNothing) return &option;
  }
  return nullptr;
}

std::string NamesOf(const CommandRow& command) {
  std::string names;
  for (const auto& option : command.options) {
    if (!option.positional) names += (names.empty() ? "" : " ") + Joined(option.names, " ");
  }
  return names;
}

std::string CommandsOf(const CommandRow& command) {
  std::string names;
  for (const auto& inner : command.commands) names += (names.empty() ? "" : " ") + inner.path.back();
  return names;
}

/// Calls `visit` for the program and each command.
template <class Visit>
void ForEach(const CommandRow& command, const Visit& visit) {
  visit(command);
  for (const auto& inner : command.commands) ForEach(inner, visit);
}

/// "/sinks/pause", the key of a command in the scripts.
std::string KeyOf(const CommandRow& command) {
  std::string key;
  for (const auto& part : command.path) key += '/' + part;
  return key;
}

/// The keys of all commands as a pattern of `case`.
std::string KeysPattern(const CommandRow& program) {
  std::string pattern;
  ForEach(program, [&](const CommandRow& command) {
    if (!command.path.empty()) pattern += (pattern.empty() ? "" : "|") + KeyOf(command);
  });
  return pattern;
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// In single quotes, for bash and zsh.
std::string Quoted(const std::string& text) {
  return '\'' + Replaced(text, "'", "'\\''") + '\'';
}

std::string_view BashAction(Completes completes) {
  switch (completes) {
    case Completes::kNothing: return "return";
    case Completes::kChoices: return "";
    case Completes::kFiles: return "_hookswitch_files -f; return";
    case Completes::kFolders: return "_hookswitch_files -d; return";
  }
  return "";
}

std::string Bash(const CommandRow& program) {
  std::string out =
      "# bash completion for hookswitch; made by `hookswitch completion bash`\n"
      "_hookswitch_files() {\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
      "}\n"
      "_hookswitch() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= i words=\n"
      "  # --name=value comes as three words.\n"
      "  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case $at/${COMP_WORDS[i]} in\n"
      "      " +
      KeysPattern(program) +
      ") at+=/${COMP_WORDS[i]} ;;\n"
      "    esac\n"
      "  done\n"
      "  case $at in\n";
  ForEach(program, [&](const CommandRow& command) {
    out += "    " + Quoted(KeyOf(command)) + ")\n";
    std::string cases;
    for (const auto& option : command.options) {
      if (option.positional || option.value.empty()) continue;
      const Completes completes = HowToComplete(option);
      cases += "        " + Joined(option.names, "|") + ") ";
      cases += completes == Completes::kChoices ? "words=" + Quoted(Joined(option.choices, " "))
                                                : std::string(BashAction(completes));
      cases += " ;;\n";
    }
    if (!cases.empty()) out += "      case $prev in\n" + cases + "      esac\n";
    const OptionRow* file = FileArgument(command);
    out += "      if [[ -z $words && $cur == -* ]]; then words=" + Quoted(NamesOf(command)) + "\n";
    if (file && file->choices.empty()) {
      out += "      elif [[ -z $words ]]; then " + std::string(BashAction(HowToComplete(*file))) + "\n";
    } else {
      const std::string words = file ? Joined(file->choices, " ") : CommandsOf(command);
      out += "      elif [[ -z $words ]]; then words=" + Quoted(words) + "\n";
    }
    out += "      fi ;;\n";
  });
  return out +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
         "}\n"
         "complete -F _hookswitch hookswitch\n";
}

/// A text of an _arguments specification: brackets and colons end it.
std::string ZshText(std::string text) {
  for (const char* mark : {"\\", "[", "]", ":"}) text = Replaced(text, mark, std::string("\\") + mark);
  return text;
}

/// The same in double quotes, within which zsh would expand it.
std::string ZshWord(const std::string& text) {
  std::string word = ZshText(text);
  for (const char* mark : {"\"", "$", "`"}) word = Replaced(word, mark, std::string("\\") + mark);
  return '"' + word + '"';
}

/// ":FILE:_files", which follows an option or argument.
std::string ZshValue(const OptionRow& option) {
  std::string value = ':' + ZshText(option.value.empty() ? option.names.front() : option.value) + ':';
  switch (HowToComplete(option)) {
    case Completes::kNothing: break;
    case Completes::kChoices: value += '(' + Joined(option.choices, " ") + ')'; break;
    case Completes::kFiles: value += "_files"; break;
    case Completes::kFolders: value += "_files -/"; break;
  }
  return value;
}

std::string Zsh(const CommandRow& program) {
  std::string out =
      "#compdef hookswitch\n"
      "# zsh completion for hookswitch; made by `hookswitch completion zsh`\n"
      "_hookswitch() {\n"
      "  local at= i=2 last=1\n"
      "  for ((; i < CURRENT; i++)); do\n"
      "    case $at/${words[i]} in\n"
      "      (" +
      KeysPattern(program) +
      ") at+=/${words[i]}; last=$i ;;\n"
      "    esac\n"
      "  done\n"
      "  words=(\"${(@)words[last,-1]}\")\n"
      "  (( CURRENT -= last - 1 ))\n"
      "  case $at in\n";
  ForEach(program, [&](const CommandRow& command) {
    out += "    (" + (command.path.empty() ? std::string("''") : KeyOf(command)) + ") _arguments -s :";
    for (const auto& option : command.options) {
      if (option.positional) {
        out += " \\\n      " + Quoted("1" + ZshValue(option));
        continue;
      }
      const std::string others = option.names.size() > 1 ? '(' + Joined(option.names, " ") + ')' : std::string();
      const bool has_value = !option.value.empty();
      for (const auto& name : option.names) {
        const std::string form = name.starts_with("--") && has_value ? name + '=' : name;
        out += " \\\n      " + Quoted(others + form + '[' + ZshText(option.description) + ']' +
                                      (has_value ? ZshValue(option) : std::string()));
      }
    }
    if (!command.commands.empty()) {
      std::string choices;
      for (const auto& inner : command.commands) {
        choices += (choices.empty() ? "" : " ") + inner.path.back() + "\\:" + ZshWord(inner.description);
      }
      out += " \\\n      " + Quoted("1:command:((" + choices + "))");
    }
    out += " ;;\n";
  });
  return out +
         "  esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _hookswitch ]; then _hookswitch \"$@\"; else compdef _hookswitch hookswitch; fi\n";
}

std::string FishQuoted(const std::string& text) {
  return '\'' + Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'") + '\'';
}

std::string Fish(const CommandRow& program) {
  std::string out =
      "# fish completion for hookswitch; made by `hookswitch completion fish`\n"
      "function __hookswitch_at\n"
      "    set -l at ''\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        switch $at/$word\n"
      "            case";
  ForEach(program, [&](const CommandRow& command) {
    if (!command.path.empty()) out += ' ' + KeyOf(command);
  });
  out +=
      "\n"
      "                set at $at/$word\n"
      "        end\n"
      "    end\n"
      "    test \"$at\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c hookswitch -f\n";
  ForEach(program, [&](const CommandRow& command) {
    const std::string begin = "complete -c hookswitch -n " + FishQuoted("__hookswitch_at '" + KeyOf(command) + "'");
    for (const auto& inner : command.commands) {
      out += begin + " -a " + inner.path.back() + " -d " + FishQuoted(inner.description) + '\n';
    }
    for (const auto& option : command.options) {
      const Completes completes = HowToComplete(option);
      const bool takes_files = completes == Completes::kFiles || completes == Completes::kFolders;
      if (option.positional) {
        if (takes_files) out += begin + " -F\n";
        if (completes == Completes::kChoices) out += begin + " -a " + FishQuoted(Joined(option.choices, " ")) + '\n';
        continue;
      }
      out += begin;
      for (const auto& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += " -d " + FishQuoted(option.description);
      if (!option.value.empty()) out += takes_files ? " -r -F" : " -x";
      if (completes == Completes::kChoices) out += " -a " + FishQuoted(Joined(option.choices, " "));
      out += '\n';
    }
  });
  return out;
}

}  // namespace

std::string CompletionFor(const std::string& shell, const CommandRow& program) {
  return shell == "bash" ? Bash(program) : shell == "zsh" ? Zsh(program) : Fish(program);
}

}  // namespace hookswitch::cli
