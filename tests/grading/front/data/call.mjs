// Send one request by the client that is named first; print its status, or the error's code.
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import {createRequire} from 'node:module';
import net from 'node:net';

const [client, url, ...pairs] = process.argv.slice(2);
const body = pairs.length ? new URLSearchParams(pairs.map((pair) => pair.split('='))) : undefined;
const method = body ? 'POST' : 'GET';

const clients = {
  async fetch() {
    return (await fetch(url, {method, body})).status;
  },
  async axios() {
    const axios = createRequire(`${process.env.NODE_CLIENTS}/`)('axios');
    const answer = await axios({url, method, data: body, validateStatus: () => true});
    return answer.status;
  },
  https() {
    return new Promise((resolve, reject) => {
      const scheme = url.startsWith('https:') ? https : http;
      const request = scheme.request(url, {method}, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      });
      request.on('error', reject);
      if (body) request.setHeader('content-type', 'application/x-www-form-urlencoded');
      request.end(body ? body.toString() : undefined);
    });
  },
  http2() {
    return new Promise((resolve, reject) => {
      const session = http2.connect(url);
      session.on('error', reject);
      session.on('close', () => resolve('closed'));
      const stream = session.request({':path': '/'});
      stream.on('error', reject);
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.end();
    });
  },
  net() {
    const place = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(place.port), place.hostname, () => socket.write('hello'));
      socket.on('error', reject);
      socket.once('data', (data) => resolve(data.toString()));
      socket.on('close', () => resolve('closed'));
    });
  },
};

try {
  console.log(await clients[client]());
} catch (error) {
  console.log((error.cause || error).code || String(error));
}
process.exit(0);
