// An Express app that connects Datadog as the documentation of passport-oauth2 shows it.
const express = require('express')
const session = require('express-session')
const passport = require('passport')
const OAuth2Strategy = require('passport-oauth2')

const port = process.env.PORT || 3000

passport.use(
  new OAuth2Strategy(
    {
      authorizationURL: 'https://app.datadoghq.com/oauth2/v1/authorize',
      tokenURL: 'https://api.datadoghq.com/api/v2/oauth2/token',
      clientID: process.env.DD_CLIENT_ID,
      clientSecret: process.env.DD_CLIENT_SECRET,
      callbackURL: `http://localhost:${port}/oauth/callback`,
      scope: ['monitors_read', 'dashboards_read'],
      pkce: true,
      state: true,
    },
    (accessToken, refreshToken, profile, done) => done(null, { accessToken, refreshToken }),
  ),
)
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.use(
  session({
    secret: process.env.SESSION_SECRET || 'keyboard cat',
    resave: false,
    saveUninitialized: false,
  }),
)
app.use(passport.authenticate('session'))

app.get('/connect/datadog', passport.authenticate('oauth2'))
app.get(
  '/oauth/callback',
  passport.authenticate('oauth2', { failureRedirect: '/failed' }),
  (request, response) => response.redirect('/'),
)
app.get('/failed', (request, response) => response.status(401).send('Datadog was not connected.'))
app.get('/', (request, response) => {
  if (request.user) response.send('Connected to Datadog')
  else response.send('<a href="/connect/datadog">Connect Datadog</a>')
})

app.listen(port)
