import './styles';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { ErrorNotice } from './error-notice';

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <ErrorNotice>
      <App />
    </ErrorNotice>,
  );
}
