#!/usr/bin/env bash
# Makes the JSON Schemas in this folder anew from what the vendors, or those who follow them, publish as TypeScript types.
# Needs node, npm and the network; tests do not. usage: tests/sinks/schemas/regenerate.sh
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund ts-json-schema-generator@2.4.0 @slack/types@3.2.0 discord-api-types@0.38.57 \
  @grammyjs/types@5.0.0 @googleapis/chat@45.0.0 >/dev/null
cat >tsconfig.json <<'END'
{"compilerOptions": {"target": "es2020", "module": "node16", "moduleResolution": "node16", "strict": true, "skipLibCheck": true}}
END
cat >slack.ts <<'END'
import {KnownBlock} from '@slack/types';
export interface Message {
  text: string; blocks?: KnownBlock[]; unfurl_links?: boolean; unfurl_media?: boolean; mrkdwn?: boolean;
  channel?: string; ts?: string; thread_ts?: string;
}
END
cat >discord.ts <<'END'
import {RESTPostAPIWebhookWithTokenJSONBody} from 'discord-api-types/v10';
export type Message = RESTPostAPIWebhookWithTokenJSONBody;
END
cat >googlechat.ts <<'END'
import {chat_v1} from '@googleapis/chat';
export type Message = chat_v1.Schema$Message;
END
# The arguments of sendMessage have no name of their own.
node >telegram.ts <<'END'
const text = require('fs').readFileSync('node_modules/@grammyjs/types/methods.d.ts', 'utf8');
const start = text.indexOf('sendMessage(args: {') + 'sendMessage(args: '.length;
let end = start, depth = 0;
do { depth += (text[end] === '{') - (text[end] === '}'); end++; } while (depth > 0);
console.log(`import {InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove, ForceReply} from '@grammyjs/types/markup.js';
import {EphemeralMessageParameters, LinkPreviewOptions, MessageEntity, ParseMode, ReplyParameters, SuggestedPostParameters}
  from '@grammyjs/types/message.js';
export interface Message ${text.slice(start, end)}`);
END
for name in slack discord telegram googlechat; do
  npx ts-json-schema-generator --path "$name.ts" --type Message --tsconfig tsconfig.json --no-type-check --jsDoc none \
    --minify -o "$here/$name.json"
done
